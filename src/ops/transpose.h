// ops/transpose.h: matrices of 32-bit elements, turned four rows and columns at a time in registers.
#pragma once

#include <cstdint>
#include <cstring>

namespace nunchi::ops {

namespace detail {

template <class T>
void transpose_four_by_four(const T* from, std::int64_t stride, T* to, std::int64_t to_stride) {
  using Four [[gnu::vector_size(16)]] = T;
  Four r[4];
  for (std::int64_t k = 0; k < 4; ++k) std::memcpy(&r[k], from + k * stride, sizeof r[k]);
  const Four a = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5), b = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7);
  const Four c = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5), d = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
  r[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5);
  r[1] = __builtin_shufflevector(a, c, 2, 3, 6, 7);
  r[2] = __builtin_shufflevector(b, d, 0, 1, 4, 5);
  r[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);
  for (std::int64_t k = 0; k < 4; ++k) std::memcpy(to + k * to_stride, &r[k], sizeof r[k]);
}

}  // namespace detail

// from [rows, columns], rows `stride` apart -> to [columns, rows], rows `to_stride` apart.
template <class T>
void transpose(const T* from, std::int64_t stride, std::int64_t rows, std::int64_t columns, T* to,
               std::int64_t to_stride) {
  static_assert(sizeof(T) == 4);
  const auto whole_rows = rows / 4 * 4, whole_columns = columns / 4 * 4;
  for (std::int64_t c = 0; c < whole_columns; c += 4) {
    for (std::int64_t r = 0; r < whole_rows; r += 4)
      detail::transpose_four_by_four(from + r * stride + c, stride, to + c * to_stride + r, to_stride);
  }
  for (std::int64_t c = 0; c < columns; ++c) {
    for (std::int64_t r = c < whole_columns ? whole_rows : 0; r < rows; ++r)
      to[c * to_stride + r] = from[r * stride + c];
  }
}

}  // namespace nunchi::ops
