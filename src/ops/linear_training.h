// ops/linear_training.h: the linear layer in training, for fp32 on the CPU: the reference's numbers from oneDNN, twice
// as fast on AMD as LibTorch's own path through MKL (docs/decisions/0008).
#pragma once

#include "ops/tensor.h"

namespace nunchi::ops {

// Empty where linear_training can run and is worth it, else why not.
const char* linear_training_obstacle(const Tensor& x, const Tensor& weight);

// x [..., in], weight [out, in], bias [out] or undefined, residual [..., out] or undefined -> x W^T + b + residual.
// Differentiable once; a gradient of gradients takes the reference.
Tensor linear_training(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& residual);

}  // namespace nunchi::ops
