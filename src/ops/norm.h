// ops/norm.h: layer normalisation (Ba et al. 2016), the same by the root mean square alone (Zhang and Sennrich 2019),
// and batch normalisation at inference (Ioffe and Szegedy 2015).
//
//   Tensor y = ops::layer_norm(x, {.weight = gamma, .bias = beta, .eps = 1e-6});   // over the last axis
#pragma once

#include "ops/tensor.h"

namespace nunchi::ops {

struct LayerNormWeights {
  Tensor weight, bias;  // [dim]
  double eps = 1e-6;
};

// x [..., dim] -> (x - mean) / sqrt(variance + eps) * weight + bias, mean and variance over the last axis.
Tensor layer_norm(const Tensor& x, const LayerNormWeights& weights);

// x [..., dim] -> x / sqrt(mean of x^2 + eps) * weight, the mean over the last axis.
Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps);

struct BatchNormWeights {
  Tensor weight, bias, running_mean, running_var;  // [channels]
  double eps = 1e-5;
};

// x [b, c, h, w], normalised by the running statistics; in training by the batch's own, which also move the running
// ones.
Tensor batch_norm(const Tensor& x, const BatchNormWeights& weights, bool training = false, double momentum = 0.1);

}  // namespace nunchi::ops
