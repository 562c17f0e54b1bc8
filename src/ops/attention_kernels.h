// ops/attention_kernels.h: the inner loops of attention in training, in fp32, one namespace per instruction set.
//
// Matrices are row-major and padded with zeros: rows to a multiple of `row_step`, columns to one of `column_step`.
#pragma once

#include <cstdint>

namespace nunchi::ops {

constexpr std::int64_t row_step = 8, column_step = 16;

struct MatrixProduct {
  const float *a, *b;  // [rows, depth], [depth, columns]
  float* c;            // [rows, columns]
  std::int64_t rows, columns, depth;
  std::int64_t a_stride, b_stride, c_stride;
  bool add = false;  // to what c holds
};

// scores [rows, stride] of which `columns` exist -> weights that sum to 1, zeros beyond; log_sums[row] is
// log(sum(exp(scale * score))).
struct ScoresToWeights {
  float* scores;
  std::int64_t rows, columns, stride;
  float scale;
  float* log_sums;  // [rows]
};

// With a query to a column, scores [rows, columns] -> weights p = exp(scale * score - log_sums[column]), and the
// gradients of the weights -> those of the scores, scale * p * (gradient - inner[column]).
struct ScoreGradients {
  float *scores, *gradients;
  const float *log_sums, *inner;  // [columns]
  std::int64_t rows, columns;
  float scale;
};

// products[row] = the inner product of row `row` of a and that of b, both [rows, columns].
struct RowProducts {
  const float *a, *b;
  float* products;
  std::int64_t rows, columns;
};

#define NUNCHI_ATTENTION_KERNELS                         \
  void multiply(const MatrixProduct& product);           \
  void scores_to_weights(const ScoresToWeights& scores); \
  void score_gradients(const ScoreGradients& scores);    \
  void row_products(const RowProducts& products);

namespace portable {
NUNCHI_ATTENTION_KERNELS
}  // namespace portable

namespace avx2 {
NUNCHI_ATTENTION_KERNELS
}  // namespace avx2

namespace avx512 {
NUNCHI_ATTENTION_KERNELS
}  // namespace avx512

#undef NUNCHI_ATTENTION_KERNELS

}  // namespace nunchi::ops
