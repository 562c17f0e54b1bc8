// ops/attention.h: scaled dot-product attention (Vaswani et al. 2017, equation 1), with the extras vision models add.
//
//   auto [output, weights] = ops::attention(q, k, v, {.bias = relative_position_bias});
#pragma once

#include "ops/attention_windows.h"

namespace nunchi::ops {

struct AttentionOptions {
  std::optional<double> scale;  // 1 / sqrt(head_dim) where absent
  std::optional<Tensor> bias;   // added to the scores; broadcasts to [b, heads, n_q, n_k]. [t, heads, n_q, n_k] for a t
                                // that divides b: sample i takes number i mod t (windows of a batch of pictures)
  std::optional<Tensor> mask;   // 1 = may look, 0 = blocked: [n_q, n_k], [b, n_q, n_k] or [b, heads, n_q, n_k]
  std::optional<AttentionWindows> windows;  // q, k and v are maps, [b, windows * n, heads, head_dim], and so is the
                                            // output; each window is a sample, b * windows of n tokens
  double dropout = 0;                       // of the weights; for training
  bool int8 = false;                        // queries and keys may be multiplied in eight bits, in inference
  bool return_weights = false;              // forces the reference, which has them
};

struct AttentionResult {
  Tensor output;   // [b, n_q, heads, head_dim]
  Tensor weights;  // [samples, heads, n_q, n_k], undefined unless asked for
};

// q [b, n_q, heads, head_dim]; k, v [b, n_k, heads, head_dim], any strides. A query whose keys are all blocked gets
// zeros.
AttentionResult attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options = {});

}  // namespace nunchi::ops
