// ops/code_loops.h: what makes codes of numbers (ops/product_kernels.h), over the vectors of one instruction set; and
// all kernels of products in that.
#pragma once

#include "ops/finish_loops.h"
#include "ops/product_loops.h"

namespace nunchi::ops::NUNCHI_ISA_NAMESPACE {
namespace {

template <class T>
Range range_of(const T* row, std::int64_t count) {
  const auto whole = count / lanes * lanes;
  Floats low = all(__builtin_inff()), high = -low;
  Bits largest{};  // of the magnitudes, which order as their bits do, those of no number last
  const auto see = [&](Floats x) {
    low = smaller(x, low);
    high = larger(x, high);
    const Bits bits = as<Bits>(magnitude(x));
    largest = bits > largest ? bits : largest;
  };
  for (std::int64_t i = 0; i < whole; i += lanes) see(load(row + i));
  if (whole < count) see(load_some(row + whole, count - whole, row[0]));
  const bool all_finite = largest_of(as<Floats>(largest & 0x7f800000u)) < __builtin_inff();
  return {all_finite ? -largest_of(-low) : __builtin_nanf(""), largest_of(high)};
}

template <class T>
void encode(const T* row, std::int64_t count, RowCode of, std::uint8_t* codes) {
  const float steps = 1 / of.step;
  const auto whole = count / lanes * lanes;
  for (std::int64_t i = 0; i < whole; i += lanes) store((load(row + i) - of.low) * steps, codes + i);
  if (const auto left = count - whole; left > 0)
    store_some((load_some(row + whole, left, row[0]) - of.low) * steps, codes + whole, left);
}

template <class T>
RowCode quantised(const T* row, std::int64_t count, std::uint8_t* codes) {
  const auto [low, high] = range_of(row, count);
  // A range so narrow that its steps have no reciprocal is no range.
  const RowCode of{low, high - low > 1e-30f ? (high - low) / 255 : 1};
  encode(row, count, of, codes);
  for (std::int64_t i = count; i % 4 != 0; ++i) codes[i] = 0;
  return of;
}

template <class T>
constexpr NumberKernels<T> kernels_of{quantised<T>, range_of<T>, encode<T>, finish<float, T>, finish<std::int32_t, T>};

}  // namespace

const ProductKernels product_kernels{kernels_of<float>, kernels_of<Bf16Bits>, multiply_all<float>,
                                     multiply_all<Bf16Bits>, multiply_all<std::uint8_t>};

}  // namespace nunchi::ops::NUNCHI_ISA_NAMESPACE
