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

namespace nunchi::ops::NUNCHI_ISA_NAMESPACE {
namespace {

constexpr std::int64_t lanes = NUNCHI_LANES;
using Floats [[gnu::vector_size(lanes * 4)]] = float;
using Words [[gnu::vector_size(lanes * 4)]] = std::int32_t;
using Bits [[gnu::vector_size(lanes * 4)]] = std::uint32_t;
using Halves [[gnu::vector_size(lanes * 2)]] = std::uint16_t;
using Bytes [[gnu::vector_size(lanes)]] = std::uint8_t;

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

inline Floats load(const Bf16Bits* from) {
  return as<Floats>(__builtin_convertvector(loaded<Halves>(from), Bits) << 16);
}

inline void store(Floats value, float* to) { __builtin_memcpy(to, &value, sizeof value); }

inline Bits to_bf16(Floats number) {  // round to nearest, ties to even
  const Bits bits = as<Bits>(number);
  return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}

inline void store_bf16(Bits low_halves, Bf16Bits* to) {
  const Halves halves = __builtin_convertvector(low_halves, Halves);
  __builtin_memcpy(to, &halves, sizeof halves);
}

inline void store(Floats value, Bf16Bits* to) {  // a NaN stays one
  const Bits bits = as<Bits>(value);
  const auto is_nan = (bits & 0x7fffffffu) > 0x7f800000u;
  store_bf16(is_nan ? (bits >> 16) | 0x40 : to_bf16(value), to);
}

// Up to a vector of numbers at the end of a row, and back.
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

inline Floats larger(Floats a, Floats b) { return a > b ? a : b; }
inline Floats smaller(Floats a, Floats b) { return a < b ? a : b; }
inline Floats magnitude(Floats x) { return as<Floats>(as<Bits>(x) & 0x7fffffffu); }

inline float sum_of(Floats x) {
  float sum = 0;
  for (std::int64_t i = 0; i < lanes; ++i) sum += x[i];
  return sum;
}

inline float largest_of(Floats x) {
  float largest = x[0];
  for (std::int64_t i = 1; i < lanes; ++i) largest = x[i] > largest ? x[i] : largest;
  return largest;
}

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
