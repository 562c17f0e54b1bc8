// ops/vectors.h: vectors of NUNCHI_LANES numbers, for loops that are written once and compiled for several instruction
// sets. A source file per set defines that and NUNCHI_ISA_NAMESPACE before it includes them.
//
// Nothing here, nor in what includes it, calls an inline function of the standard library: the linker might keep the
// copy of one instruction set for everybody.
#pragma once

#ifdef __AVX2__
#include <immintrin.h>
#endif

#include "ops/bf16_bits.h"

#define NUNCHI_UNROLLED _Pragma("GCC unroll 16")  // or what a loop sums up would not stay in its registers

namespace nunchi::ops::NUNCHI_ISA_NAMESPACE {
namespace {

constexpr std::int64_t lanes = NUNCHI_LANES;
using Floats [[gnu::vector_size(lanes * 4)]] = float;
using Words [[gnu::vector_size(lanes * 4)]] = std::int32_t;
using Bits [[gnu::vector_size(lanes * 4)]] = std::uint32_t;
using Halves [[gnu::vector_size(lanes * 2)]] = std::uint16_t;
using Bytes [[gnu::vector_size(lanes)]] = std::uint8_t;
using PairsOfShorts [[gnu::vector_size(lanes * 4)]] = std::int16_t;
using PairsOfBytes [[gnu::vector_size(lanes * 2)]] = std::uint8_t;

template <class To, class From>
To as(const From& from) {  // the same bits
  static_assert(sizeof(To) == sizeof(From));
  To to;
  __builtin_memcpy(&to, &from, sizeof to);
  return to;
}

template <class Vector, class T>
Vector loaded(const T* from) {
  Vector v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}

inline Floats all(float value) { return value - Floats{}; }

inline Floats load(const float* from) { return loaded<Floats>(from); }

// Between widths; to bytes, the numbers are within 0 and 255. What a compiler makes of __builtin_convertvector takes
// several instructions where there is one.
#if defined(__AVX512F__)
inline Bits widened(Halves halves) { return as<Bits>(_mm512_cvtepu16_epi32(as<__m256i>(halves))); }
inline Halves low_halves(Bits bits) { return as<Halves>(_mm512_cvtepi32_epi16(as<__m512i>(bits))); }
inline Bytes low_bytes(Words words) { return as<Bytes>(_mm512_cvtepi32_epi8(as<__m512i>(words))); }
inline Words widened(Bytes bytes) { return as<Words>(_mm512_cvtepu8_epi32(as<__m128i>(bytes))); }
inline PairsOfBytes low_bytes_of_halves(Words pairs) {
  return as<PairsOfBytes>(_mm512_cvtepi16_epi8(as<__m512i>(pairs)));
}
#elif defined(__AVX2__)
inline Bits widened(Halves halves) { return as<Bits>(_mm256_cvtepu16_epi32(as<__m128i>(halves))); }
inline Halves low_halves(Bits bits) {  // of numbers below 2^16
  const __m256i packed = _mm256_packus_epi32(as<__m256i>(bits), as<__m256i>(bits));
  return as<Halves>(_mm256_castsi256_si128(_mm256_permute4x64_epi64(packed, 0b1000)));
}
inline Bytes low_bytes(Words words) {
  const __m128i low = _mm256_castsi256_si128(as<__m256i>(words)),
                high = _mm256_extracti128_si256(as<__m256i>(words), 1);
  const __m128i halves = _mm_packus_epi32(low, high), bytes = _mm_packus_epi16(halves, halves);
  Bytes result;
  __builtin_memcpy(&result, &bytes, sizeof result);
  return result;
}
inline Words widened(Bytes bytes) {
  __m128i wide{};
  __builtin_memcpy(&wide, &bytes, sizeof bytes);
  return as<Words>(_mm256_cvtepu8_epi32(wide));
}
inline PairsOfBytes low_bytes_of_halves(Words pairs) {
  const __m256i halves = as<__m256i>(pairs & 0x00ff00ff), packed = _mm256_packus_epi16(halves, halves);
  return as<PairsOfBytes>(_mm256_castsi256_si128(_mm256_permute4x64_epi64(packed, 0b1000)));
}
#else
inline PairsOfBytes low_bytes_of_halves(Words pairs) {
  return __builtin_convertvector(as<PairsOfShorts>(pairs), PairsOfBytes);
}
inline Bits widened(Halves halves) { return __builtin_convertvector(halves, Bits); }
inline Halves low_halves(Bits bits) { return __builtin_convertvector(bits, Halves); }
inline Bytes low_bytes(Words words) { return __builtin_convertvector(words, Bytes); }
inline Words widened(Bytes bytes) { return __builtin_convertvector(bytes, Words); }
#endif

inline Floats load(const Bf16Bits* from) { return as<Floats>(widened(loaded<Halves>(from)) << 16); }

inline void store(Floats value, float* to) { __builtin_memcpy(to, &value, sizeof value); }
inline void store_number(Floats value, float* to) { store(value, to); }

#ifdef __AVX512BF16__
inline void store(Floats value, Bf16Bits* to) {
  const __m256bh halves = _mm512_cvtneps_pbh(value);
  __builtin_memcpy(to, &halves, sizeof halves);
}
inline void store_number(Floats value, Bf16Bits* to) { store(value, to); }
#else
inline void store_bits(Bits bits, Bf16Bits* to) {
  const Halves halves = low_halves(bits);
  __builtin_memcpy(to, &halves, sizeof halves);
}
inline Bits nearest_bf16(Floats number) {  // ties to even
  const Bits bits = as<Bits>(number);
  return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}
inline void store(Floats value, Bf16Bits* to) {  // a NaN stays one
  const Bits bits = as<Bits>(value);
  const auto is_nan = (bits & 0x7fffffffu) > 0x7f800000u;
  store_bits(is_nan ? (bits >> 16) | 0x40 : nearest_bf16(value), to);
}
inline void store_number(Floats value, Bf16Bits* to) { store_bits(nearest_bf16(value), to); }  // which is no NaN
#endif

#ifdef __AVX512F__
inline Floats larger(Floats a, Floats b) { return _mm512_max_ps(a, b); }
inline Floats smaller(Floats a, Floats b) { return _mm512_min_ps(a, b); }
#else
inline Floats larger(Floats a, Floats b) { return a > b ? a : b; }
inline Floats smaller(Floats a, Floats b) { return a < b ? a : b; }
#endif
inline Floats magnitude(Floats x) { return as<Floats>(as<Bits>(x) & 0x7fffffffu); }

#ifdef __AVX512F__
inline float sum_of(Floats x) { return _mm512_reduce_add_ps(x); }
inline float largest_of(Floats x) { return _mm512_reduce_max_ps(x); }
inline std::int32_t largest_of(Words x) { return _mm512_reduce_max_epi32(as<__m512i>(x)); }
#else
inline float sum_of(Floats x) {
  float sum = 0;
  for (std::int64_t i = 0; i < lanes; ++i) sum += x[i];
  return sum;
}

template <class Numbers>
auto largest_of(Numbers x) {
  auto largest = x[0];
  for (std::int64_t i = 1; i < lanes; ++i) largest = x[i] > largest ? x[i] : largest;
  return largest;
}
#endif

constexpr float rounding = 12582912;  // 1.5 * 2^23: added, it leaves the nearest integer in the low bits

#ifdef __AVX512F__
inline Floats at_least(Floats x, float least) { return _mm512_max_ps(all(least), x); }
inline Floats nearest(Floats x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline Floats times_power_of_two(Floats x, Floats n) { return _mm512_scalef_ps(x, n); }
inline Words nearest_integers(Floats x) { return as<Words>(_mm512_cvtps_epi32(x)); }
#else
inline Floats at_least(Floats x, float least) { return x < least ? all(least) : x; }
inline Floats nearest(Floats x) { return (x + rounding) - rounding; }
inline Floats times_power_of_two(Floats x, Floats n) {
  return x * as<Floats>((__builtin_convertvector(n, Words) + 127) << 23);
}
#ifdef __AVX2__
inline Words nearest_integers(Floats x) { return as<Words>(_mm256_cvtps_epi32(x)); }
#else
inline Words nearest_integers(Floats x) { return __builtin_convertvector(nearest(x), Words); }
#endif
#endif

// Codes of eight bits, to the nearest one.
inline Floats load(const std::uint8_t* from) { return __builtin_convertvector(widened(loaded<Bytes>(from)), Floats); }
inline void store_code(Floats codes, std::uint8_t* to) {  // within 0 and 255
  const Bytes bytes = low_bytes(nearest_integers(codes));
  __builtin_memcpy(to, &bytes, sizeof bytes);
}
inline void store(Floats codes, std::uint8_t* to) { store_code(smaller(at_least(codes, 0), all(255)), to); }

// Up to a vector of numbers at the end of a row, and back.
#ifdef __AVX512BW__
inline __mmask16 first_lanes(std::int64_t count) { return static_cast<__mmask16>((1u << count) - 1); }
inline Floats load_some(const float* from, std::int64_t count, float otherwise) {
  return _mm512_mask_loadu_ps(all(otherwise), first_lanes(count), from);
}
inline Floats load_some(const Bf16Bits* from, std::int64_t count, Bf16Bits otherwise) {
  const Halves halves = otherwise - Halves{};
  return as<Floats>(widened(as<Halves>(_mm256_mask_loadu_epi16(as<__m256i>(halves), first_lanes(count), from))) << 16);
}
inline Floats load_some(const std::uint8_t* from, std::int64_t count, std::uint8_t otherwise) {
  const Bytes bytes = otherwise - Bytes{};
  const auto some = as<Bytes>(_mm_mask_loadu_epi8(as<__m128i>(bytes), first_lanes(count), from));
  return __builtin_convertvector(widened(some), Floats);
}
inline void store_some(Floats value, float* to, std::int64_t count) {
  _mm512_mask_storeu_ps(to, first_lanes(count), value);
}
inline void store_some(Floats value, Bf16Bits* to, std::int64_t count) {
  Bf16Bits some[lanes];
  store(value, some);
  _mm256_mask_storeu_epi16(to, first_lanes(count), loaded<__m256i>(some));
}
inline void store_some(Floats codes, std::uint8_t* to, std::int64_t count) {
  std::uint8_t some[lanes];
  store(codes, some);
  _mm_mask_storeu_epi8(to, first_lanes(count), loaded<__m128i>(some));
}
#else
template <class T>
Floats load_some(const T* from, std::int64_t count, T otherwise) {
  T some[lanes];
  for (std::int64_t i = 0; i < lanes; ++i) some[i] = i < count ? from[i] : otherwise;
  return load(some);
}

template <class T>
void store_some(Floats value, T* to, std::int64_t count) {
  T some[lanes];
  store(value, some);
  for (std::int64_t i = 0; i < count; ++i) to[i] = some[i];
}
#endif

// The first of them, and zeros.
inline Floats only(Floats x, std::int64_t count) {
  for (std::int64_t i = count; i < lanes; ++i) x[i] = 0;
  return x;
}

// A vector of a row of `count` more numbers or codes, or `whole`.
template <bool whole, class T>
Floats part_of(const T* from, std::int64_t count) {
  if constexpr (whole)
    return load(from);
  else
    return load_some(from, count, T{});
}

template <bool whole, class T>
void put(Floats value, T* to, std::int64_t count) {
  if constexpr (whole)
    store(value, to);
  else
    store_some(value, to, count);
}

// 2^x for x <= 0: 2^n * 2^f with |f| <= 1/2, and 2^f by the polynomial whose largest relative error is least: 8e-8 with
// six coefficients, 8e-5 with four.
template <std::int64_t count>
Floats two_to_the(Floats x, const float (&coefficients)[count]) {
  x = at_least(x, -126);  // below, the exponent of a float ends
  const Floats n = nearest(x), f = x - n;
  Floats p = all(coefficients[0]);
  NUNCHI_UNROLLED for (std::int64_t i = 1; i < count; ++i) p = p * f + coefficients[i];
  return times_power_of_two(p, n);
}
inline Floats two_to_the(Floats x) {
  return two_to_the(x, {1.3276472e-3f, 9.6755419e-3f, 5.5507131e-2f, 0.2402212f, 0.69314694f, 1.0000001f});
}
inline Floats roughly_two_to_the(Floats x) {
  return two_to_the(x, {5.5171669e-2f, 0.24261114f, 0.69326097f, 0.99992806f});
}

// e^x for x <= 0: 2^n * e^r with |r| <= ln 2 / 2, e^r by its Taylor polynomial of degree 6: relative error below 2e-7.
inline Floats exponential(Floats x) {
  x = at_least(x, -87);  // below, the exponent of a float ends; e^-87 is 1e-38
  const Floats n = nearest(x * 1.44269504f);
  const Floats r = x - n * 0.693359375f + n * 2.12194440e-4f;
  constexpr float taylor[] = {1.f / 120, 1.f / 24, 1.f / 6, 0.5f, 1.f, 1.f};
  Floats p = all(1.f / 720);
  for (const float coefficient : taylor) p = p * r + coefficient;
  return times_power_of_two(p, n);
}

}  // namespace
}  // namespace nunchi::ops::NUNCHI_ISA_NAMESPACE
