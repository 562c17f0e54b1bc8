// ops/attention_scores.h: products q k^T of one head, block after block of queries, by the product of linear layers:
// the keys are packed as its weights.
//
//   Scores<float> scores(keys, head_dim, block_rows);
//   scores.take_keys(k);
//   scores.multiply(q, rows, {scores, stride, scales});
#pragma once

#include <memory>

#include "core/isa.h"
#include "ops/attention_kernels.h"
#include "ops/attention_windows.h"
#include "ops/product_kernels.h"

namespace nunchi::ops {

template <class X>
const AttentionBlockKernels<X>& attention_block_kernels() {
  return NUNCHI_OF_CHOSEN_ISA_OR_BF16(attention_kernels).of(static_cast<const X*>(nullptr));
}

// Where products go: the scores of a row are scales[row] times what is put there, once the scale is multiplied by what
// was left out of them.
struct ScoreRows {
  float* first;         // [rows, stride]
  std::int64_t stride;  // whole tiles
  float* scales;        // [rows]
};

// X is float or Bf16Bits.
template <class X>
class Scores {
 public:
  Scores(std::int64_t keys, std::int64_t head_dim, std::int64_t block_rows);

  void take_keys(const HeadRows<const X>& k);
  void multiply(const HeadRows<const X>& q, std::int64_t rows, const ScoreRows& scores);

 private:
  std::int64_t keys_, head_dim_;
  std::unique_ptr<X[]> rows_, packed_;
  std::unique_ptr<std::int64_t[]> row_at_;
};

// In eight bits, with a step for each query and each key. The mean of the keys, by which softmax does not change, is
// taken off them first: it may be most of what they are (Zhang et al. 2024, SageAttention).
template <class X>
class ScoresOfCodes {
 public:
  ScoresOfCodes(std::int64_t keys, std::int64_t head_dim, std::int64_t block_rows);

  void take_keys(const HeadRows<const X>& k);
  void multiply(const HeadRows<const X>& q, std::int64_t rows, const ScoreRows& scores);

 private:
  void take_mean(const HeadRows<const X>& k);
  // The codes of queries are 128 too large: bias = -128 * step * (sum of the key's codes).
  void take_bias(std::int64_t first);
  // Of rows of codes, and the tile of keys that begins at `first`.
  Product<std::uint8_t, float> product(const std::uint8_t* codes, std::int64_t rows, std::int64_t first,
                                       std::int32_t* sums) const;

  std::int64_t keys_, head_dim_, depth_;
  std::unique_ptr<float[]> zeros_, mean_, steps_, bias_;
  std::unique_ptr<std::uint8_t[]> rows_, queries_, ones_;
  std::unique_ptr<std::int8_t[]> packed_;
  std::unique_ptr<std::int64_t[]> row_at_;
};

// Whether there are enough keys for what the codes cost.
bool scores_in_codes_pay(at::ScalarType dtype, std::int64_t keys);

}  // namespace nunchi::ops
