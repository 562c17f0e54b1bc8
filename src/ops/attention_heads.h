// ops/attention_heads.h: attention head by head in fp32, for fp32 and bf16 on the CPU: softmax(scale q k^T) v and its
// gradients, for which the weights are made again in the backward pass (Dao et al. 2022).
#pragma once

#include "ops/attention_bias.h"
#include "ops/attention_windows.h"

namespace nunchi::ops {

// Empty where attention_heads can run, else why not.
const char* attention_heads_obstacle(const Tensor& q, const Tensor& k, const Tensor& v);

// q [b, n_q, heads, head_dim]; k, v [b, n_k, heads, head_dim]; any strides -> [b, n_q, heads, head_dim].
// Differentiable where there are neither bias nor windows; a gradient of gradients takes the formula.
Tensor attention_heads(const Tensor& q, const Tensor& k, const Tensor& v, double scale, const AttentionBias& bias = {},
                       const AttentionSamples& samples = {});

}  // namespace nunchi::ops
