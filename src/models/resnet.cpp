#include "models/resnet.h"

#include <ATen/ops/constant_pad_nd.h>
#include <fmt/format.h>

#include "models/picture.h"

namespace nunchi::models {
namespace {

constexpr std::int64_t expansion = 4;  // of a bottleneck's last convolution

nn::ConvNormConfig named(nn::ConvNormConfig config, std::string convolution, std::string normalization) {
  config.convolution_key = std::move(convolution);
  config.normalization_key = std::move(normalization);
  return config;
}

nn::ConvNormConfig conv3x3(std::int64_t in, std::int64_t out, std::int64_t stride, std::int64_t groups,
                           ops::Activation activation) {
  return {
      .in = in, .out = out, .kernel = 3, .stride = stride, .padding = 1, .groups = groups, .activation = activation};
}

nn::ConvNormConfig conv1x1(std::int64_t in, std::int64_t out, std::int64_t stride, ops::Activation activation) {
  return {.in = in, .out = out, .stride = stride, .activation = activation};
}

Tensor shrink(const Tensor& x, AntiAlias anti_alias) {
  return anti_alias == AntiAlias::blur ? ops::blur_pool2d(x) : ops::average_pool2d(x, {.kernel = 2, .stride = 2});
}

// The nearest multiple of 8, at least 8.
std::int64_t gate_channels(std::int64_t channels, double ratio) {
  const auto nearest = static_cast<std::int64_t>(static_cast<double>(channels) * ratio + 4) / 8 * 8;
  return std::max<std::int64_t>(nearest, 8);
}

std::unique_ptr<nn::ChannelAttention> make_gate(const ResNetConfig& c, std::int64_t channels) {
  switch (c.gate) {
    case ChannelGate::none:
      return nullptr;
    case ChannelGate::squeeze_excite:
      return std::make_unique<nn::SqueezeExcite>(channels, gate_channels(channels, c.gate_ratio));
    case ChannelGate::efficient:
      return std::make_unique<nn::EfficientChannelAttention>(channels);
  }
  ASSERT(false, "every gate has its case");
}

}  // namespace

ResNetConfig resnet_of(ResidualUnit unit, std::array<std::int64_t, 4> depths) {
  ResNetConfig net;
  for (std::size_t i = 0; i < depths.size(); ++i) {
    const auto width = std::int64_t{64} << i;
    const auto out = unit == ResidualUnit::basic ? width : expansion * width;
    net.stages.push_back({.unit = unit, .depth = depths[i], .out = out, .width = width, .stride = i == 0 ? 1 : 2});
  }
  return net;
}

ResNetConfig resnet18() { return resnet_of(ResidualUnit::basic, {2, 2, 2, 2}); }

ResNetConfig resnet50() { return resnet_of(ResidualUnit::bottleneck, {3, 4, 6, 3}); }

ResNetConfig cifar_resnet(std::int64_t depth) {
  ResNetConfig net{.image_size = {32, 32},
                   .classes = 10,
                   .stem = ResNetStem::small,
                   .stem_channels = {16},
                   .shortcut = Shortcut::padding};
  const auto blocks = (depth - 2) / 6;
  for (const std::int64_t width : {16, 32, 64})
    net.stages.push_back({.depth = blocks, .out = width, .width = width, .stride = width == 16 ? 1 : 2});
  return net;
}

Projection::Projection(const ResNetConfig& c, std::int64_t in, std::int64_t out, std::int64_t stride)
    : kind_(c.shortcut), stride_(stride), added_channels_(out - in) {
  if (kind_ == Shortcut::padding) return;
  const bool pooled = kind_ == Shortcut::pooled_projection;
  const auto kernel = pooled || stride == 1 ? 1 : c.projection_kernel;
  const nn::ConvNormConfig config{
      .in = in, .out = out, .kernel = kernel, .stride = pooled ? 1 : stride, .padding = kernel / 2};
  child("", convolution.emplace(named(config, pooled ? "1" : "0", pooled ? "2" : "1")));
}

Tensor Projection::forward(const Tensor& x) const {
  if (kind_ == Shortcut::padding) {
    const Tensor every_second = x.slice(2, 0, x.size(2), stride_).slice(3, 0, x.size(3), stride_);
    const auto before = added_channels_ / 2;
    return seen(at::constant_pad_nd(every_second, {0, 0, 0, 0, before, added_channels_ - before}));
  }
  const bool pooled = kind_ == Shortcut::pooled_projection && stride_ > 1;
  return seen(convolution->forward(
      pooled ? ops::average_pool2d(x, {.kernel = 2, .stride = stride_, .partial_windows = true}) : x));
}

ResidualBlock::ResidualBlock(const ResNetConfig& c, const ResNetStage& stage, std::int64_t in, std::int64_t stride,
                             nn::DropPath drop_path)
    : shrinks_(c.anti_alias != AntiAlias::none && stride > 1),
      anti_alias_(c.anti_alias),
      activation_(c.activation),
      drop_path_(drop_path),
      gate_(make_gate(c, stage.out)) {
  const auto narrow = stage.width / c.first_reduction, inner_stride = shrinks_ ? 1 : stride;
  const auto last = gate_ ? ops::Activation::none : c.activation;  // the gate comes before the activation
  if (stage.unit == ResidualUnit::basic) {
    child("", conv1_.emplace(named(conv3x3(in, narrow, inner_stride, 1, c.inner_activation), "conv1", "bn1")));
    child("", conv2_.emplace(named(conv3x3(narrow, stage.out, 1, 1, last), "conv2", "bn2")));
  } else {
    const auto first_stride = c.stride_in_first ? stride : 1, second_stride = c.stride_in_first ? 1 : inner_stride;
    child("", conv1_.emplace(named(conv1x1(in, narrow, first_stride, c.inner_activation), "conv1", "bn1")));
    child("", conv2_.emplace(
                  named(conv3x3(narrow, stage.width, second_stride, c.groups, c.inner_activation), "conv2", "bn2")));
    child("", conv3_.emplace(named(conv1x1(stage.width, stage.out, 1, last), "conv3", "bn3")));
  }
  if (gate_) child("se", *gate_);
  if (stride != 1 || in != stage.out) child("downsample", downsample_.emplace(c, in, stage.out, stride));
  if (conv3_) conv1_->feeds(*conv2_);
  if (!shrinks_) (conv3_ ? conv2_ : conv1_)->feeds(last_convolution());
}

void ResidualBlock::feeds(const ResidualBlock& next) {
  if (!gate_ && next.takes_codes()) last_convolution().feeds(next.first());
}

Tensor ResidualBlock::residual_branch(const Tensor& x) const {
  Tensor y = conv1_->forward(x);
  if (conv3_) y = conv2_->forward(y);
  return shrinks_ ? shrink(y, anti_alias_) : y;
}

Tensor ResidualBlock::forward(const Tensor& x) const {
  const Tensor y = residual_branch(x), shortcut = downsample_ ? downsample_->forward(x) : x;
  const auto& last = conv3_ ? *conv3_ : *conv2_;
  if (!gate_) return seen(last.forward(y, shortcut, drop_path_.draw(y, is_training())));
  const Tensor gated = drop_path_.apply(gate_->forward(last.forward(y)), is_training());
  return seen(ops::activate(gated + shortcut, activation_));
}

ResNetStemLayers::ResNetStemLayers(const ResNetConfig& c) : kind_(c.stem), anti_alias_(c.anti_alias) {
  std::int64_t in = c.channels;
  for (std::size_t i = 0; i < c.stem_channels.size(); ++i) {
    const auto out = c.stem_channels[i], stride = i == 0 && kind_ != ResNetStem::small ? 2 : std::int64_t{1};
    auto config = conv3x3(in, out, stride, 1, c.activation);
    if (kind_ == ResNetStem::plain) {
      config.kernel = 7;
      config.padding = 3;
    }
    const bool is_last = i + 1 == c.stem_channels.size();
    const auto convolution = kind_ == ResNetStem::deep ? fmt::format("conv1.{}", 3 * i) : "conv1";
    const auto normalization = is_last ? "bn1" : fmt::format("conv1.{}", 3 * i + 1);
    convolutions_.push_back(std::make_unique<nn::ConvNorm>(named(config, convolution, normalization)));
    child("", *convolutions_.back());
    in = out;
  }
  if (c.stem_pool == StemPool::convolution)
    child("maxpool", pool_.emplace(named(conv3x3(in, in, 2, 1, c.activation), "0", "1")));
  for (std::size_t i = 1; i < convolutions_.size(); ++i) convolutions_[i - 1]->feeds(*convolutions_[i]);
  if (pool_) convolutions_.back()->feeds(*pool_);
}

void ResNetStemLayers::feeds(const ResidualBlock& next) {
  if (!next.takes_codes() || (!pool_ && anti_alias_ != AntiAlias::none)) return;
  (pool_ ? *pool_ : *convolutions_.back()).feeds(next.first());  // the largest code is the largest number's
}

Tensor ResNetStemLayers::pooled(const Tensor& x) const {
  if (pool_) return pool_->forward(x);
  if (anti_alias_ == AntiAlias::average) return shrink(x, anti_alias_);
  const auto stride = anti_alias_ == AntiAlias::blur ? 1 : 2;
  const Tensor largest = ops::max_pool2d(x, {.kernel = 3, .stride = stride, .padding = 1});
  return anti_alias_ == AntiAlias::blur ? shrink(largest, anti_alias_) : largest;
}

Tensor ResNetStemLayers::forward(const Tensor& image) const {
  Tensor x = image;
  for (const auto& convolution : convolutions_) x = convolution->forward(x);
  return kind_ == ResNetStem::small ? x : pooled(x);
}

ResNet::ResNet(ResNetConfig config) : config_(std::move(config)) {
  const auto& c = config_;
  child("", stem_.emplace(c));
  std::int64_t in = c.stem_channels.back(), block = 0, blocks = 0;
  for (const auto& stage : c.stages) blocks += stage.depth;
  for (const auto& stage : c.stages) {
    layers_.push_back(std::make_unique<Stage>());
    for (std::int64_t i = 0; i < stage.depth; ++i) {
      const nn::DropPath drop_path{nn::DropPath::rate_of_block(c.drop_path, block++, blocks)};
      layers_.back()->add(c, stage, in, i == 0 ? stage.stride : 1, drop_path);
      in = stage.out;
    }
    child(fmt::format("layer{}", layers_.size()), *layers_.back());
  }
  ResidualBlock* before = nullptr;
  for (const auto& layer : layers_) {
    for (std::size_t i = 0; i < layer->size(); ++i) {
      ResidualBlock& next = (*layer)[i];
      if (before == nullptr)
        stem_->feeds(next);
      else
        before->feeds(next);
      before = &next;
    }
  }
  const auto features = c.pool == ops::GlobalPool::both ? 2 * in : in;
  if (c.classes > 0) child("fc", fc_.emplace(features, c.classes));
  if (fc_) fc_->input_dropout = c.head_dropout;
}

ModelOutput ResNet::forward(const Tensor& image, const ForwardOptions& options) const {
  require_picture(image, config_.channels);
  ModelOutput output;
  Tensor x = stem_->forward(image.contiguous(at::MemoryFormat::ChannelsLast));
  if (options.hidden_states) output.hidden_states.push_back(ops::in_numbers(x));
  for (auto& layer : layers_) {
    for (std::size_t i = 0; i < layer->size(); ++i) x = (*layer)[i].forward(x);
    if (!options.hidden_states) continue;
    output.hidden_states.push_back(ops::in_numbers(x));
    output.feature_maps.push_back(output.hidden_states.back());
  }
  output.last_hidden_state = x;
  output.grid = {x.size(2), x.size(3)};
  const Tensor features = ops::global_pool(x, config_.pool);
  if (fc_) output.logits = fc_->forward(features);
  output.pooler_output = config_.pooled_map ? features.view({x.size(0), -1, 1, 1}) : features;
  return output;
}

}  // namespace nunchi::models
