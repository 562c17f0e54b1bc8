// ops/code_loops.h: what makes codes of numbers (ops/product_kernels.h), over the vectors of one instruction set; and
// all kernels of products in that.
#pragma once

#include "ops/finish_loops.h"

namespace nunchi::ops::NUNCHI_ISA_NAMESPACE {
namespace {

// `largest` has bits of magnitudes, which order as the magnitudes do, those of no number last.
inline Range range_where_finite(Floats low, Floats high, Bits largest) {
  const bool all_finite = largest_of(as<Words>(largest)) < 0x7f800000;
  return {all_finite ? -largest_of(-low) : __builtin_nanf(""), largest_of(high)};
}

inline Range range_of(const float* row, std::int64_t count) {
  const auto whole = count / lanes * lanes;
  Floats low = all(__builtin_inff()), high = -low;
  Bits largest{};
  const auto see = [&](Floats x) {
    low = smaller(x, low);
    high = larger(x, high);
    const Bits bits = as<Bits>(magnitude(x));
    largest = bits > largest ? bits : largest;
  };
  for (std::int64_t i = 0; i < whole; i += lanes) see(load(row + i));
  if (whole < count) see(load_some(row + whole, count - whole, row[0]));
  return range_where_finite(low, high, largest);
}

// Pairs of bfloat16: the one that is first in memory, and the other.
inline Floats first_of(Bits pairs) { return as<Floats>(pairs << 16); }
inline Floats second_of(Bits pairs) { return as<Floats>(pairs & 0xffff0000u); }

// bfloat16 orders as integers of 16 bits do once the magnitudes of negative ones are turned, which undoes itself; what
// is no number, or infinite, comes first or last.
inline PairsOfShorts turned(PairsOfShorts x) { return x ^ ((x >> 15) & 0x7fff); }

inline Range range_of(const Bf16Bits* row, std::int64_t count) {
  constexpr auto pairs = 2 * lanes;
  const auto whole = count / pairs * pairs;
  auto low = PairsOfShorts{} + std::int16_t{0x7fff}, high = ~low;
  const auto see = [&](PairsOfShorts bits) {
    const auto x = turned(bits);
    low = x < low ? x : low;
    high = x > high ? x : high;
  };
  for (std::int64_t i = 0; i < whole; i += pairs) see(loaded<PairsOfShorts>(row + i));
  if (whole < count) {
    Bf16Bits rest[pairs];
    for (std::int64_t i = 0; i < pairs; ++i) rest[i] = row[whole + i < count ? whole + i : 0];
    see(loaded<PairsOfShorts>(rest));
  }
  const Bits lows = as<Bits>(turned(low)), highs = as<Bits>(turned(high));
  Bits largest{};
  const Floats extremes[] = {first_of(lows), second_of(lows), first_of(highs), second_of(highs)};
  for (const Floats& x : extremes) {
    const Bits bits = as<Bits>(magnitude(x));
    largest = bits > largest ? bits : largest;
  }
  return range_where_finite(smaller(first_of(lows), second_of(lows)), larger(first_of(highs), second_of(highs)),
                            largest);
}

template <class T>
void encode(const T* row, std::int64_t count, RowCode of, std::uint8_t* codes) {
  const float steps = 1 / of.step;
  const auto whole = count / lanes * lanes;
  for (std::int64_t i = 0; i < whole; i += lanes) store((load(row + i) - of.low) * steps, codes + i);
  if (const auto left = count - whole; left > 0)
    store_some((load_some(row + whole, left, row[0]) - of.low) * steps, codes + whole, left);
}

// What lies within the range that the code is of.
inline void encode_within(const float* row, std::int64_t count, RowCode of, std::uint8_t* codes) {
  const float steps = 1 / of.step;
  for (std::int64_t i = 0; i < count; i += lanes) store_code((load(row + i) - of.low) * steps, codes + i);
}
inline void encode_within(const Bf16Bits* row, std::int64_t count, RowCode of, std::uint8_t* codes) {
  const float steps = 1 / of.step;
  for (std::int64_t i = 0; i < count; i += 2 * lanes) {
    const Bits x = loaded<Bits>(row + i);
    const Bits first = as<Bits>((first_of(x) - of.low) * steps + rounding);
    const Bits second = as<Bits>((second_of(x) - of.low) * steps + rounding);
    const PairsOfBytes both = low_bytes_of_halves(as<Words>((first & 0xffff) | second << 16));
    __builtin_memcpy(codes + i, &both, sizeof both);
  }
}

template <class T>
RowCode quantised(const T* row, std::int64_t count, std::uint8_t* codes) {
  const auto [low, high] = range_of(row, count);
  // A range so narrow that its steps have no reciprocal is no range.
  const RowCode of{low, high - low > 1e-30f ? (high - low) / 255 : 1};
  constexpr std::int64_t at_once = lanes * 4 / sizeof(T);
  const auto whole = count / at_once * at_once;
  encode_within(row, whole, of, codes);
  encode(row + whole, count - whole, of, codes + whole);
  for (std::int64_t i = count; i % 4 != 0; ++i) codes[i] = 0;
  return of;
}

template <class T>
constexpr NumberKernels<T> kernels_of{quantised<T>, range_of, encode<T>, finish<float, T>, finish<std::int32_t, T>};

}  // namespace

const ProductKernels product_kernels{
    kernels_of<float>, kernels_of<Bf16Bits>, {multiply_all<float>}, {multiply_all<Bf16Bits>}, multiply_codes_here};

}  // namespace nunchi::ops::NUNCHI_ISA_NAMESPACE
