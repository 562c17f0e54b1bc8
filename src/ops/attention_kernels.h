// ops/attention_kernels.h: the inner loops of attention, one namespace per instruction set.
//
// Where a head is taken as a whole (ops/attention_heads.h), matrices are row-major and padded with zeros: rows to a
// multiple of `row_step`, columns to one of `column_step`.
#pragma once

#include "ops/bf16_bits.h"

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
// log(sum(exp(scale * score))). A row of -infinity becomes one of zeros.
struct ScoresToWeights {
  float* scores;
  std::int64_t rows, columns, stride;
  float scale;
  float* log_sums;  // [rows]
};

// scores [rows, stride], of which `columns` exist -> scales[row] * score + bias; one of the biases is there.
struct BiasedScores {
  float* scores;
  std::int64_t rows, columns, stride;
  const float* scales;
  const float* bias;          // [rows, bias_stride],
  const Bf16Bits* bias_bf16;  // or this
  std::int64_t bias_stride;
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

// scores [rows, stride], of which `columns` exist -> weights exp(scales[row] * (score - the row's largest)), with a
// zero behind them where a product takes pairs; in place, or not. inverse_sums[row] is 1 / (their sum), and 0 for a row
// of -infinity: the division is left to the product with the values, which is shorter than the row.
template <class T>
struct ScoresToExponentials {
  const float* scores;
  std::int64_t rows, columns, stride;
  const float* scales;
  T* weights;
  std::int64_t weights_stride;
  float* inverse_sums;  // [rows]
};

// Row i of products [rows, stride] times factors[i], at out + row_at[i].
template <class T>
struct ScaledRows {
  const float* products;
  std::int64_t rows, columns, stride;
  const float* factors;
  T* out;
  const std::int64_t* row_at;
};

template <class T>
struct AttentionBlockKernels {
  void (*scores_to_exponentials)(const ScoresToExponentials<T>&);
  void (*scale_rows)(const ScaledRows<T>&);
  void (*add_row)(const T* row, std::int64_t count, float* sums);
  // x - mean is about step * (code - 128), all magnitudes within 127; the step is NaN where any is none or infinite.
  float (*centred_codes)(const T* row, const float* mean, std::int64_t count, std::uint8_t* codes);
};

struct AttentionKernels {
  void (*multiply)(const MatrixProduct&);
  void (*add_bias)(const BiasedScores&);
  void (*scores_to_weights)(const ScoresToWeights&);
  void (*score_gradients)(const ScoreGradients&);
  void (*row_products)(const RowProducts&);
  AttentionBlockKernels<float> floats;
  AttentionBlockKernels<Bf16Bits> halves;

  const AttentionBlockKernels<float>& of(const float*) const { return floats; }
  const AttentionBlockKernels<Bf16Bits>& of(const Bf16Bits*) const { return halves; }
};

namespace portable {
extern const AttentionKernels attention_kernels;
}  // namespace portable

namespace avx2 {
extern const AttentionKernels attention_kernels;
}  // namespace avx2

namespace avx512 {
extern const AttentionKernels attention_kernels;
}  // namespace avx512

namespace avx512_bf16 {
extern const AttentionKernels attention_kernels;
}  // namespace avx512_bf16

}  // namespace nunchi::ops
