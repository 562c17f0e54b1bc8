#include "models/mobilenet_v2.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "models/picture.h"

namespace nunchi::models {
namespace {

// The nearest multiple of the divisor, but never more than 10 % below the value.
std::int64_t make_divisible(std::int64_t value, std::int64_t divisor, std::int64_t minimum) {
  auto rounded = std::max(minimum, (2 * value + divisor) / (2 * divisor) * divisor);
  if (static_cast<double>(rounded) < 0.9 * static_cast<double>(value)) rounded += divisor;
  return rounded;
}

std::int64_t multiplied(std::int64_t channels, double factor, const MobileNetV2Scaling& c) {
  const auto value = static_cast<std::int64_t>(std::nearbyint(static_cast<double>(channels) * factor));  // half to even
  return make_divisible(value, c.depth_divisible_by, c.min_depth);
}

}  // namespace

std::int64_t MobileNetV2Scaling::scaled(std::int64_t count) const { return multiplied(count, depth_multiplier, *this); }

std::int64_t MobileNetV2Scaling::expanded(std::int64_t count) const { return multiplied(count, expand_ratio, *this); }

std::int64_t MobileNetV2Scaling::output_channels() const {
  return finegrained_output && depth_multiplier < 1 ? 1280 : scaled(1280);
}

void set_layers(MobileNetV2Config& config, const MobileNetV2Scaling& s) {
  config.first = s.scaled(32);
  config.stem = s.scaled(16);
  config.features = s.output_channels();
  config.blocks.clear();
  std::int64_t in = config.stem, current_stride = 2, dilation = 1;
  for (const auto& stage : mobilenet_v2_stages) {
    for (std::int64_t i = 0; i < stage.repeats; ++i) {
      const auto stride = i == 0 ? stage.stride : 1;
      const bool dilated = current_stride == s.output_stride;
      config.blocks.push_back({.hidden = s.expanded(in),
                               .out = s.scaled(stage.out),
                               .stride = dilated ? 1 : stride,
                               .dilation = dilated ? dilation : 1});
      (dilated ? dilation : current_stride) *= stride;
      in = config.blocks.back().out;
    }
  }
}

MobileConv::MobileConv(const MobileNetV2Config& config, const Options& o)
    : nn::ConvNorm({.in = o.in,
                    .out = o.out,
                    .kernel = o.kernel,
                    .stride = o.stride,
                    .padding = (o.kernel - 1) / 2 * o.dilation,
                    .dilation = o.dilation,
                    .groups = o.groups,
                    .eps = config.eps,
                    .momentum = config.momentum,
                    .same = config.tf_padding,
                    .activation = o.activated ? config.activation : ops::Activation::none}) {}

InvertedResidual::InvertedResidual(const MobileNetV2Config& c, const MobileNetV2Block& block, std::int64_t in,
                                   nn::DropPath drop)
    : expand_1x1(c, {.in = in, .out = block.hidden}),
      conv_3x3(c, {.in = block.hidden,
                   .out = block.hidden,
                   .kernel = 3,
                   .stride = block.stride,
                   .dilation = block.dilation,
                   .groups = block.hidden}),
      reduce_1x1(c, {.in = block.hidden, .out = block.out, .activated = false}),
      residual(block.stride == 1 && in == block.out),
      drop_path(drop) {
  child("expand_1x1", expand_1x1);
  child("conv_3x3", conv_3x3);
  child("reduce_1x1", reduce_1x1);
  expand_1x1.feeds(conv_3x3);
  conv_3x3.feeds(reduce_1x1);
}

Tensor InvertedResidual::forward(const Tensor& x) const {
  const Tensor filtered = conv_3x3.forward(expand_1x1.forward(x));
  return seen(residual ? reduce_1x1.forward(filtered, x, drop_path.draw(x, is_training()))
                       : reduce_1x1.forward(filtered));
}

MobileStem::MobileStem(const MobileNetV2Config& c)
    : first_conv(c, {.in = c.channels, .out = c.first, .kernel = 3, .stride = 2}),
      conv_3x3(c, {.in = c.first, .out = c.first, .kernel = 3, .groups = c.first}),
      reduce_1x1(c, {.in = c.first, .out = c.stem, .activated = false}),
      residual(c.residual_stem && c.first == c.stem) {
  child("first_conv", first_conv);
  if (!c.first_layer_is_expansion)
    child("expand_1x1", expand_1x1.emplace(c, MobileConv::Options{.in = c.first, .out = c.first}));
  child("conv_3x3", conv_3x3);
  child("reduce_1x1", reduce_1x1);
  if (expand_1x1) first_conv.feeds(*expand_1x1);
  (expand_1x1 ? *expand_1x1 : first_conv).feeds(conv_3x3);
  conv_3x3.feeds(reduce_1x1);
}

Tensor MobileStem::forward(const Tensor& image) const {
  const Tensor x = first_conv.forward(image);
  const Tensor filtered = conv_3x3.forward(expand_1x1 ? expand_1x1->forward(x) : x);
  return seen(reduce_1x1.forward(filtered, residual ? std::optional(x) : std::nullopt));
}

MobileNetV2::MobileNetV2(MobileNetV2Config config) : config_(std::move(config)) {
  const auto& c = config_;
  child("conv_stem", conv_stem_.emplace(c));
  std::int64_t in = c.stem;
  for (std::size_t i = 0; i < c.blocks.size(); ++i) {
    const auto place = static_cast<double>(i + 1), count = static_cast<double>(c.blocks.size() + 1);
    layer_.add(c, c.blocks[i], in, nn::DropPath{c.drop_path * place / count});  // timm counts the stem, too
    in = c.blocks[i].out;
  }
  child("layer", layer_);
  child("conv_1x1", conv_1x1_.emplace(c, MobileConv::Options{.in = in, .out = c.features}));
  conv_stem_->reduce_1x1.feeds(layer_[0].expand_1x1);
  for (std::size_t i = 0; i < layer_.size(); ++i)
    layer_[i].reduce_1x1.feeds(i + 1 < layer_.size() ? layer_[i + 1].expand_1x1 : *conv_1x1_);
  if (c.classes > 0) child("classifier", classifier_.emplace(c.features, c.classes));
  if (classifier_) classifier_->input_dropout = c.head_dropout;
}

ModelOutput MobileNetV2::forward(const Tensor& image, const ForwardOptions& options) const {
  require_picture(image, config_.channels);
  ModelOutput output;
  Tensor x = conv_stem_->forward(image.contiguous(at::MemoryFormat::ChannelsLast));
  for (std::size_t i = 0; i < layer_.size(); ++i) {
    if (options.hidden_states && config_.blocks[i].stride > 1) output.feature_maps.push_back(ops::in_numbers(x));
    x = layer_[i].forward(x);
    if (options.hidden_states) output.hidden_states.push_back(ops::in_numbers(x));
  }
  if (options.hidden_states) output.feature_maps.push_back(output.hidden_states.back());
  output.last_hidden_state = conv_1x1_->forward(x);
  output.grid = {output.last_hidden_state.size(2), output.last_hidden_state.size(3)};
  output.pooler_output = output.last_hidden_state.mean({2, 3});
  if (classifier_) output.logits = classifier_->forward(output.pooler_output);
  return output;
}

}  // namespace nunchi::models
