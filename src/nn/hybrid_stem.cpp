#include "nn/hybrid_stem.h"

#include <ATen/ops/rsqrt.h>
#include <ATen/ops/var_mean.h>

#include <limits>

#include "nn/initialise.h"
#include "ops/pool.h"

namespace nunchi::nn {
namespace {

// Each output channel's weight with mean 0 and variance 1.
Tensor standardise(const Tensor& weight) {
  constexpr double eps = 1e-8;
  if (weight.is_meta()) return weight;
  const auto [variance, mean] = at::var_mean(weight, at::IntArrayRef{1, 2, 3}, /*unbiased=*/false, /*keepdim=*/true);
  return (weight - mean) * at::rsqrt(variance + eps);
}

const ops::ConvOptions halving{.stride = {2, 2}};

}  // namespace

HybridStem::HybridStem(std::int64_t picture_channels) : norm_{.weight = {}, .bias = {}, .groups = 32, .eps = 1e-5} {
  parameter("conv.weight", convolution_.weight, {channels, picture_channels, 7, 7});
  parameter("norm.weight", norm_.weight, {channels});
  parameter("norm.bias", norm_.bias, {channels});
}

Tensor HybridStem::forward(const Tensor& image) const {
  const bool is_frozen = standardised_.weight.defined() || standardised_.is_packed();
  const auto convolution = is_frozen ? standardised_ : ops::ConvWeights{.weight = standardise(convolution_.weight)};
  const Tensor map = ops::conv2d(ops::pad_same(image, {.kernel = 7, .stride = 2}), convolution, halving);
  const Tensor active = ops::activate(ops::group_norm(map, norm_), ops::Activation::relu);
  constexpr double smallest = -std::numeric_limits<float>::infinity();
  return seen(ops::max_pool2d(ops::pad_same(active, {.kernel = 3, .stride = 2}, smallest), {.kernel = 3, .stride = 2}));
}

void HybridStem::freeze(const FreezeOptions& options) {
  standardised_.weight = standardise(convolution_.weight.detach()).to(activation_dtype(options.precision));
  ops::pack_conv(standardised_);
  release(slot_of(convolution_.weight), options);
  cast(slot_of(norm_.weight), options);
  cast(slot_of(norm_.bias), options);
}

void HybridStem::thaw() {
  standardised_ = {};
  Module::thaw();
}

void HybridStem::initialise(const at::Generator& generator) {
  convolution_.weight = kaiming_normal_fan_out(slot_of(convolution_.weight).shape, generator);
  norm_.weight = constant({channels}, 1);
  norm_.bias = constant({channels}, 0);
}

}  // namespace nunchi::nn
