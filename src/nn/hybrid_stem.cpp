#include "nn/hybrid_stem.h"

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/var_mean.h>

#include <limits>

#include "nn/initialise.h"
#include "ops/pool.h"

namespace nunchi::nn {
namespace {

// Zeros, or for a max-pool the smallest number, around the map, such that a kernel of this stride halves its sides,
// rounded up; an odd row or column comes last.
Tensor pad_to_halve(const Tensor& map, std::int64_t kernel, double value) {
  const auto total = [&](int axis) { return std::max<std::int64_t>(kernel - (map.size(axis) % 2 == 0 ? 2 : 1), 0); };
  const auto below = total(2), right = total(3);
  return at::constant_pad_nd(map, {right / 2, right - right / 2, below / 2, below - below / 2}, value);
}

// Each output channel's weight with mean 0 and variance 1.
Tensor standardise(const Tensor& weight) {
  constexpr double eps = 1e-8;
  if (weight.is_meta()) return weight;
  const auto [variance, mean] = at::var_mean(weight, at::IntArrayRef{1, 2, 3}, /*unbiased=*/false, /*keepdim=*/true);
  return (weight - mean) * at::rsqrt(variance + eps);
}

}  // namespace

HybridStem::HybridStem(std::int64_t picture_channels) : norm_{.weight = {}, .bias = {}, .groups = 32, .eps = 1e-5} {
  parameter("conv.weight", convolution_.weight, {channels, picture_channels, 7, 7});
  parameter("norm.weight", norm_.weight, {channels});
  parameter("norm.bias", norm_.bias, {channels});
}

Tensor HybridStem::forward(const Tensor& image) const {
  const Tensor weight = standardised_.defined() ? standardised_ : standardise(convolution_.weight);
  const Tensor map = ops::conv2d(pad_to_halve(image, 7, 0), {.weight = weight, .bias = {}}, {.stride = {2, 2}});
  const Tensor active = ops::activate(ops::group_norm(map, norm_), ops::Activation::relu);
  return ops::max_pool2d(pad_to_halve(active, 3, -std::numeric_limits<float>::infinity()), {.kernel = 3, .stride = 2});
}

void HybridStem::freeze(const FreezeOptions& options) {
  standardised_ = standardise(convolution_.weight.detach()).to(activation_dtype(options.precision));
  release(slot_of(convolution_.weight), options);
  cast(slot_of(norm_.weight), options);
  cast(slot_of(norm_.bias), options);
}

void HybridStem::thaw() {
  standardised_ = Tensor();
  Module::thaw();
}

void HybridStem::initialise(const at::Generator& generator) {
  convolution_.weight = kaiming_normal_fan_out(slot_of(convolution_.weight).shape, generator);
  norm_.weight = constant({channels}, 1);
  norm_.bias = constant({channels}, 0);
}

}  // namespace nunchi::nn
