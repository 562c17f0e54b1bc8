#include "models/mobilenet_v2.h"

#include <ATen/ops/constant_pad_nd.h>
#include <fmt/format.h>

#include <array>
#include <cmath>

namespace nunchi::models {
namespace {

constexpr std::array<std::int64_t, 17> block_channels = {16, 24, 24, 32, 32,  32,  64,  64, 64,
                                                         64, 96, 96, 96, 160, 160, 160, 320};
constexpr std::array<std::int64_t, 16> block_strides = {2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1};

// The nearest multiple of the divisor, but never more than 10 % below the value.
std::int64_t make_divisible(std::int64_t value, std::int64_t divisor, std::int64_t minimum) {
  auto rounded = std::max(minimum, (2 * value + divisor) / (2 * divisor) * divisor);
  if (static_cast<double>(rounded) < 0.9 * static_cast<double>(value)) rounded += divisor;
  return rounded;
}

std::int64_t multiplied(std::int64_t channels, double factor, const MobileNetV2Config& c) {
  const auto value = static_cast<std::int64_t>(std::nearbyint(static_cast<double>(channels) * factor));  // half to even
  return make_divisible(value, c.depth_divisible_by, c.min_depth);
}

// TensorFlow's "same" padding of one axis: {before, after}.
std::array<std::int64_t, 2> same_padding(std::int64_t size, const nn::ConvNormConfig& c) {
  const auto left_over = size % c.stride == 0 ? c.stride : size % c.stride;
  const auto total = std::max<std::int64_t>(c.kernel - left_over, 0);
  return {total / 2 * c.dilation, (total - total / 2) * c.dilation};
}

}  // namespace

std::int64_t MobileNetV2Config::scaled(std::int64_t count) const { return multiplied(count, depth_multiplier, *this); }

std::int64_t MobileNetV2Config::expanded(std::int64_t count) const { return multiplied(count, expand_ratio, *this); }

std::int64_t MobileNetV2Config::output_channels() const {
  return finegrained_output && depth_multiplier < 1 ? 1280 : scaled(1280);
}

MobileConv::MobileConv(const MobileNetV2Config& config, const Options& o)
    : nn::ConvNorm({.in = o.in,
                    .out = o.out,
                    .kernel = o.kernel,
                    .stride = o.stride,
                    .padding = config.tf_padding ? 0 : (o.kernel - 1) / 2 * o.dilation,
                    .dilation = o.dilation,
                    .groups = o.groups,
                    .eps = config.eps,
                    .momentum = 0.997,
                    .activation = o.activated ? config.activation : ops::Activation::none}),
      tf_padding_(config.tf_padding && o.kernel > 1) {}

Tensor MobileConv::forward(const Tensor& x) const {
  if (!tf_padding_) return nn::ConvNorm::forward(x);
  const auto [top, bottom] = same_padding(x.size(2), config());
  const auto [left, right] = same_padding(x.size(3), config());
  return nn::ConvNorm::forward(at::constant_pad_nd(x, {left, right, top, bottom}));
}

InvertedResidual::InvertedResidual(const MobileNetV2Config& c, std::int64_t in, std::int64_t out, std::int64_t stride,
                                   std::int64_t dilation)
    : expand_1x1(c, {.in = in, .out = c.expanded(in)}),
      conv_3x3(c, {.in = c.expanded(in),
                   .out = c.expanded(in),
                   .kernel = 3,
                   .stride = stride,
                   .dilation = dilation,
                   .groups = c.expanded(in)}),
      reduce_1x1(c, {.in = c.expanded(in), .out = out, .activated = false}),
      residual(stride == 1 && in == out) {
  child("expand_1x1", expand_1x1);
  child("conv_3x3", conv_3x3);
  child("reduce_1x1", reduce_1x1);
}

Tensor InvertedResidual::forward(const Tensor& x) const {
  const Tensor y = reduce_1x1.forward(conv_3x3.forward(expand_1x1.forward(x)));
  return residual ? x + y : y;
}

MobileStem::MobileStem(const MobileNetV2Config& c, std::int64_t out)
    : first_conv(c, {.in = c.channels, .out = c.scaled(32), .kernel = 3, .stride = 2}),
      conv_3x3(c, {.in = c.scaled(32), .out = c.scaled(32), .kernel = 3, .groups = c.scaled(32)}),
      reduce_1x1(c, {.in = c.scaled(32), .out = out, .activated = false}) {
  child("first_conv", first_conv);
  if (!c.first_layer_is_expansion) {
    child("expand_1x1", expand_1x1.emplace(c, MobileConv::Options{.in = c.scaled(32), .out = c.scaled(32)}));
  }
  child("conv_3x3", conv_3x3);
  child("reduce_1x1", reduce_1x1);
}

Tensor MobileStem::forward(const Tensor& image) const {
  const Tensor x = first_conv.forward(image);
  return reduce_1x1.forward(conv_3x3.forward(expand_1x1 ? expand_1x1->forward(x) : x));
}

MobileNetV2::MobileNetV2(const MobileNetV2Config& config) : config_(config) {
  const auto& c = config_;
  child("conv_stem", conv_stem_.emplace(c, c.scaled(block_channels[0])));
  std::int64_t current_stride = 2, dilation = 1;
  for (std::size_t i = 0; i < block_strides.size(); ++i) {
    const bool dilated = current_stride == c.output_stride;
    layer_.add(c, c.scaled(block_channels[i]), c.scaled(block_channels[i + 1]), dilated ? 1 : block_strides[i],
               dilated ? dilation : 1);
    (dilated ? dilation : current_stride) *= block_strides[i];
  }
  child("layer", layer_);
  child("conv_1x1",
        conv_1x1_.emplace(c, MobileConv::Options{.in = c.scaled(block_channels.back()), .out = c.output_channels()}));
  if (c.classes > 0) child("classifier", classifier_.emplace(c.output_channels(), c.classes));
}

ModelOutput MobileNetV2::forward(const Tensor& image, const ForwardOptions& options) {
  if (image.dim() != 4 || image.size(1) != config_.channels) {
    throw Error(ErrorKind::input,
                fmt::format("expected a picture [b, {}, h, w], found {}", config_.channels, to_string(image.sizes())));
  }
  ModelOutput output;
  Tensor x = conv_stem_->forward(image.contiguous(at::MemoryFormat::ChannelsLast));
  for (std::size_t i = 0; i < layer_.size(); ++i) {
    x = layer_[i].forward(x);
    if (options.hidden_states) output.hidden_states.push_back(x);
  }
  output.last_hidden_state = conv_1x1_->forward(x);
  output.grid = {output.last_hidden_state.size(2), output.last_hidden_state.size(3)};
  output.pooler_output = output.last_hidden_state.mean({2, 3});
  if (classifier_) output.logits = classifier_->forward(output.pooler_output);
  return output;
}

namespace {

// The factors first: channels are computed from them.
void check_mobilenet(const MobileNetV2Config& net, const Json& config) {
  for (const double factor : {net.depth_multiplier, net.expand_ratio}) {
    if (factor > 0 && factor <= 100) continue;
    throw Error(ErrorKind::model,
                fmt::format("config.json of a \"mobilenet_v2\": expected depth_multiplier and expand_ratio "
                            "above 0 and up to 100, found {}",
                            factor));
  }
  check_sizes(config, {net.image_size[0], net.image_size[1], net.channels, net.depth_divisible_by, net.output_stride});
  check_sizes(config, {std::max<std::int64_t>(net.min_depth, 1)});
  check_sizes(config, {net.scaled(8), net.expanded(net.scaled(8))});
  if (net.classes != 0) check_sizes(config, {net.classes});
}

}  // namespace

MobileNetV2Config mobilenet_v2_config_from_transformers(const Source& source) {
  const Json& config = source.config;
  MobileNetV2Config net;
  net.image_size = pair_or(config, "image_size", 224);
  net.channels = get_or(config, "num_channels", net.channels);
  net.depth_multiplier = get_or(config, "depth_multiplier", net.depth_multiplier);
  net.expand_ratio = get_or(config, "expand_ratio", net.expand_ratio);
  net.depth_divisible_by = get_or(config, "depth_divisible_by", net.depth_divisible_by);
  net.min_depth = get_or(config, "min_depth", net.min_depth);
  net.output_stride = get_or(config, "output_stride", net.output_stride);
  net.first_layer_is_expansion = get_or(config, "first_layer_is_expansion", net.first_layer_is_expansion);
  net.finegrained_output = get_or(config, "finegrained_output", net.finegrained_output);
  net.tf_padding = get_or(config, "tf_padding", net.tf_padding);
  net.activation = ops::activation_from_name(get_or<std::string>(config, "hidden_act", "relu6"));
  net.eps = get_or(config, "layer_norm_eps", net.eps);
  net.classes = source.classes.value_or(source.has_key("classifier.weight") ? label_count(config) : 0);
  check_mobilenet(net, config);
  return net;
}

weights::KeyTable mobilenet_v2_keys_of_transformers(const MobileNetV2Config& config) {
  weights::KeyTable table{.publisher = "transformers", .prefixes = {"mobilenet_v2.", ""}};
  for (const std::string part : {"conv_stem.*.*.*", "layer.*.*.*.*", "conv_1x1.*.*"})
    table.rules.push_back({part, {"@" + part}});
  if (config.classes == 0) table.dropped = {"classifier.*"};
  return table;
}

Built build_mobilenet_v2(const Source& source) {
  const auto config = mobilenet_v2_config_from_transformers(source);
  return {std::make_unique<MobileNetV2>(config), mobilenet_v2_keys_of_transformers(config), {"classifier"}};
}

}  // namespace nunchi::models
