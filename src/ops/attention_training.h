// ops/attention_training.h: attention in training, for fp32 and bf16 on the CPU: softmax(scale q k^T) v and its
// gradients, head by head in fp32 with the weights made again in the backward pass (Dao et al. 2022).
#pragma once

#include "ops/tensor.h"

namespace nunchi::ops {

// Empty where attention_training can run and is worth it, else why not.
const char* attention_training_obstacle(const Tensor& q, const Tensor& k, const Tensor& v);

// q [b, n_q, heads, head_dim]; k, v [b, n_k, heads, head_dim]; any strides -> [b, n_q, heads, head_dim].
// Differentiable; a gradient of gradients takes the formula.
Tensor attention_training(const Tensor& q, const Tensor& k, const Tensor& v, double scale);

}  // namespace nunchi::ops
