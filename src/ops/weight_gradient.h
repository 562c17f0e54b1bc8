// ops/weight_gradient.h: what a linear layer's weight and bias get back in training, for fp32 on the CPU.
//
//   auto [weight, bias] = ops::weight_gradient(dy, x);   // dy [m, out], x [m, in]: dy^T x [out, in], and the sum of dy
//
// oneDNN's own product of two transposed matrices reaches half of what its products reach otherwise, MKL's on AMD less:
// here only the narrower side is transposed, in pieces that stay in the cache, and the bias comes for nothing.
#pragma once

#include "ops/tensor.h"

namespace nunchi::ops {

struct WeightGradient {
  Tensor weight;  // [out, in]
  Tensor bias;    // [out]
};

// Both contiguous, fp32, on the CPU, m > 0.
WeightGradient weight_gradient(const Tensor& dy, const Tensor& x);

}  // namespace nunchi::ops
