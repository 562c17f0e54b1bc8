// nn/initialise.h: values for a model that is not read from a checkpoint: a step of training, kept out of the
// constructors because it would cost most of the load time.
//
//   at::Generator generator = nn::seeded(42);
//   model.initialise(generator);
//
// Policy (DeiT, Touvron et al. 2021): linear weights, tokens and learned positions from a truncated normal of standard
// deviation 0.02, biases zero, norms one and zero.
#pragma once

#include <ATen/core/Generator.h>

#include "ops/tensor.h"

namespace nunchi::nn {

at::Generator seeded(std::uint64_t seed);

Tensor truncated_normal(const Shape& shape, const at::Generator& generator, double std = 0.02);
Tensor constant(const Shape& shape, double value);
// LibTorch's default for convolutions: uniform in +-1 / sqrt(fan_in).
Tensor kaiming_uniform(const Shape& shape, const at::Generator& generator);
// Normal with variance 2 / fan_out (He et al. 2015), usual for the convolutions of residual networks.
Tensor kaiming_normal_fan_out(const Shape& shape, const at::Generator& generator);

}  // namespace nunchi::nn
