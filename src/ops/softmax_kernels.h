// ops/softmax_kernels.h: rows of attention scores to unnormalised weights, one namespace per instruction set.
//
// weights[r][c] = exp(scale * (scores[r][c] - max of row r)) in bfloat16; inverse_sums[r] is 1 / (the row's sum). The
// division is left to the product with the values, which is shorter than the row. The scores may be overwritten.
#pragma once

#include <cstdint>

namespace nunchi::ops {

struct ScoreRows {
  float* scores;  // [rows, columns], `stride` floats from row to row
  std::int64_t rows, columns, stride;
  float scale;
  float* inverse_sums;  // [rows]
};

// The weights: [rows, stride]; columns beyond the last up to an even number are zero.
struct Bf16Rows {
  std::uint16_t* weights;
  std::int64_t stride;
};

namespace portable {
void softmax_rows(const ScoreRows& rows, const Bf16Rows& out);
}  // namespace portable

namespace avx2 {
void softmax_rows(const ScoreRows& rows, const Bf16Rows& out);
}  // namespace avx2

namespace avx512 {
void softmax_rows(const ScoreRows& rows, const Bf16Rows& out);
}  // namespace avx512

}  // namespace nunchi::ops
