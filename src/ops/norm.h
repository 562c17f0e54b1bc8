// ops/norm.h: layer normalisation (Ba et al. 2016), the same by the root mean square alone (Zhang and Sennrich 2019),
// batch normalisation (Ioffe and Szegedy 2015), group normalisation (Wu and He 2018) and global response normalisation
// (Woo et al. 2023).
//
//   Tensor y = ops::layer_norm(x, {.weight = gamma, .bias = beta, .eps = 1e-6});   // over the last axis
#pragma once

#include "ops/tensor.h"

namespace nunchi::ops {

struct LayerNormWeights {
  Tensor weight, bias;  // [dim], or both undefined: 1 and 0
  double eps = 1e-6;
};

// x [..., dim] -> (x - mean) / sqrt(variance + eps) * weight + bias, mean and variance over the last axis.
Tensor layer_norm(const Tensor& x, const LayerNormWeights& weights);

// x [..., dim] -> x / sqrt(mean of x^2 + eps) * weight, the mean over the last axis.
Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps);

// The same over the channels of a map: x [b, c, h, w] -> [b, c, h, w] with the channels last in memory.
Tensor layer_norm_2d(const Tensor& x, const LayerNormWeights& weights);

struct ResponseNormWeights {
  Tensor weight, bias;  // [channels]
};

// Section 3 of ConvNeXt V2: x [b, h, w, c] -> x + weight * x * g / mean(g) + bias, where g is each channel's length
// (the root of the sum of its squares) over the whole map.
Tensor global_response_norm(const Tensor& x, const ResponseNormWeights& weights);

struct BatchNormWeights {
  Tensor weight, bias, running_mean, running_var;  // [channels]
  double eps = 1e-5;
};

// x [b, c, h, w], normalised by the running statistics; in training by the batch's own, which also move the running
// ones.
Tensor batch_norm(const Tensor& x, const BatchNormWeights& weights, bool training = false, double momentum = 0.1);

struct GroupNormWeights {
  Tensor weight, bias;  // [channels]
  std::int64_t groups = 32;
  double eps = 1e-5;
};

// x [b, c, h, w], mean and variance over the channels of each group and the whole map.
Tensor group_norm(const Tensor& x, const GroupNormWeights& weights);

}  // namespace nunchi::ops
