#include "nn/channel_attention.h"

#include <cmath>

#include "nn/initialise.h"
#include "ops/conv.h"
#include "ops/relevance.h"

namespace nunchi::nn {

SqueezeExcite::SqueezeExcite(std::int64_t channels, std::int64_t hidden)
    : fc1(channels, hidden), fc2(hidden, channels) {
  child("fc1", fc1);
  child("fc2", fc2);
}

Tensor SqueezeExcite::forward(const Tensor& x) const {
  const Tensor hidden = fc1.forward(x.mean({2, 3}), {.activation = ops::Activation::relu});  // [b, hidden]
  const Tensor gate = fc2.forward(hidden, {.activation = ops::Activation::sigmoid});
  return seen(x * ops::held(gate).view({x.size(0), -1, 1, 1}));
}

EfficientChannelAttention::EfficientChannelAttention(std::int64_t channels) {
  parameter("conv.weight", weight_, {1, 1, kernel(channels)});
}

std::int64_t EfficientChannelAttention::kernel(std::int64_t channels) {
  const auto nearest = static_cast<std::int64_t>((std::log2(static_cast<double>(channels)) + 1) / 2);
  return std::max<std::int64_t>(nearest % 2 == 1 ? nearest : nearest + 1, 3);
}

Tensor EfficientChannelAttention::forward(const Tensor& x) const {
  const auto kernel = weight_.size(2);
  const Tensor means = x.mean({2, 3}).view({x.size(0), 1, 1, -1});  // a row of channels
  const Tensor gate = ops::conv2d(means, {weight_.view({1, 1, 1, kernel}), {}}, {.padding = {0, kernel / 2}});
  return seen(x * ops::held(ops::activate(gate, ops::Activation::sigmoid)).view({x.size(0), -1, 1, 1}));
}

void EfficientChannelAttention::initialise(const at::Generator& generator) {
  weight_ = kaiming_uniform(slot_of(weight_).shape, generator);
}

}  // namespace nunchi::nn
