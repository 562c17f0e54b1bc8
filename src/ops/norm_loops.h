// ops/norm_loops.h: the definition of ops/norm_kernels.h over the vectors of one instruction set.
#pragma once

#include "ops/norm_kernels.h"
#include "ops/vectors.h"

namespace nunchi::ops::NUNCHI_ISA_NAMESPACE {
namespace {

// Some rows step by step, so that no sum waits for itself.
template <std::int64_t rows, class T>
void norm_rows(const LayerNormRows<T>& n, std::int64_t first) {
  const auto whole = n.columns / lanes * lanes, left = n.columns - whole;
  const float share = 1 / static_cast<float>(n.columns);
  const T* x = n.x + first * n.columns;
  T* y = n.y + first * n.columns;
  Floats sums[rows], squares[rows], means[rows], factors[rows];
  NUNCHI_UNROLLED for (std::int64_t i = 0; i < rows; ++i) sums[i] = squares[i] = Floats{};
  for (std::int64_t j = 0; j < whole; j += lanes)
    NUNCHI_UNROLLED for (std::int64_t i = 0; i < rows; ++i) sums[i] += load(x + i * n.columns + j);
  if (left > 0)
    NUNCHI_UNROLLED for (std::int64_t i = 0; i < rows; ++i) sums[i] += load_some(x + i * n.columns + whole, left, T{});
  NUNCHI_UNROLLED for (std::int64_t i = 0; i < rows; ++i) means[i] = all(sum_of(sums[i]) * share);
  const auto add_square = [](Floats centred, Floats sum) { return sum + centred * centred; };
  for (std::int64_t j = 0; j < whole; j += lanes) {
    NUNCHI_UNROLLED for (std::int64_t i = 0; i < rows; ++i) squares[i] =
        add_square(load(x + i * n.columns + j) - means[i], squares[i]);
  }
  if (left > 0) {
    NUNCHI_UNROLLED for (std::int64_t i = 0; i < rows; ++i) squares[i] =
        add_square(only(load_some(x + i * n.columns + whole, left, T{}) - means[i], left), squares[i]);
  }
  NUNCHI_UNROLLED for (std::int64_t i = 0; i < rows; ++i) factors[i] =
      all(1 / __builtin_sqrtf(sum_of(squares[i]) * share + n.eps));
  const auto write = [&]<bool is_whole>(std::int64_t j, std::bool_constant<is_whole>) {
    const Floats weight = n.weight != nullptr ? part_of<is_whole>(n.weight + j, left) : all(1);
    const Floats bias = n.bias != nullptr ? part_of<is_whole>(n.bias + j, left) : all(0);
    NUNCHI_UNROLLED for (std::int64_t i = 0; i < rows; ++i) {
      const Floats unit = (part_of<is_whole>(x + i * n.columns + j, left) - means[i]) * factors[i];
      put<is_whole>(unit * weight + bias, y + i * n.columns + j, left);
    }
  };
  for (std::int64_t j = 0; j < whole; j += lanes) write(j, std::true_type());
  if (left > 0) write(whole, std::false_type());
}

template <class T>
void layer_norm(const LayerNormRows<T>& n) {
  constexpr std::int64_t at_once = 4;
  std::int64_t row = 0;
  for (; row + at_once <= n.rows; row += at_once) norm_rows<at_once>(n, row);
  for (; row < n.rows; ++row) norm_rows<1>(n, row);
}

}  // namespace

const NormKernels norm_kernels{layer_norm<float>, layer_norm<Bf16Bits>};

}  // namespace nunchi::ops::NUNCHI_ISA_NAMESPACE
