#include "models/convnext.h"

#include <fmt/format.h>

#include <numeric>

#include "models/picture.h"

namespace nunchi::models {
namespace {

Tensor channels_last(const Tensor& map) { return map.permute({0, 2, 3, 1}); }   // [b, h, w, c]
Tensor channels_first(const Tensor& map) { return map.permute({0, 3, 1, 2}); }  // [b, c, h, w]

// The smallest picture: each stage halves the map, and a convolution without padding needs as many pixels as it is
// wide.
std::array<std::int64_t, 2> smallest(const ConvNextConfig& c) {
  const auto halvings = c.dims.size() - (c.first_stage_halves ? 0 : 1);
  const auto map = std::int64_t{1} << halvings;  // rows and columns after the stem
  if (c.stem.overlapping) return {4 * (map - 1) + 1, 4 * (map - 1) + 1};
  return {c.stem.patch[0] * map, c.stem.patch[1] * map};
}

void require_size(const Tensor& image, const ConvNextConfig& c) {
  const auto [rows, columns] = smallest(c);
  if (image.size(2) >= rows && image.size(3) >= columns) return;
  throw Error(ErrorKind::input, fmt::format("the picture is too small: this network needs {}x{} pixels at least, found "
                                            "{}x{}",
                                            rows, columns, image.size(2), image.size(3)));
}

std::int64_t blocks_before(const ConvNextConfig& c, std::size_t stage) {
  return std::accumulate(c.depths.begin(), c.depths.begin() + static_cast<std::ptrdiff_t>(stage), std::int64_t{0});
}

Tensor norm_2d(const nn::LayerNorm& norm, const Tensor& x) { return ops::layer_norm_2d(x, norm.weights); }

}  // namespace

ConvNextConfig convnext_tiny() { return {}; }

ConvNextMlp::ConvNextMlp(const ConvNextConfig& c, std::int64_t dim)
    : fc1(dim, 4 * dim), fc2(4 * dim, dim), activation_(c.activation) {
  child("fc1", fc1);
  if (c.response_norm) {
    parameter("grn.weight", response_norm_.weight, {4 * dim});
    parameter("grn.bias", response_norm_.bias, {4 * dim});
  }
  child("fc2", fc2);
}

Tensor ConvNextMlp::forward(const Tensor& x, const ops::Epilogue& epilogue) const {
  const Tensor hidden = fc1.forward(x, {.activation = activation_});
  return seen(fc2.forward(response_norm_.weight.defined() ? ops::global_response_norm(hidden, response_norm_) : hidden,
                          epilogue));
}

void ConvNextMlp::initialise(const at::Generator& generator) {
  nn::Module::initialise(generator);
  if (!response_norm_.weight.defined()) return;
  response_norm_.weight = nn::constant(slot_of(response_norm_.weight).shape, 0);
  response_norm_.bias = nn::constant(slot_of(response_norm_.bias).shape, 0);
}

ConvNextBlock::ConvNextBlock(const ConvNextConfig& c, std::size_t stage, std::int64_t index)
    : conv_dw({.in = c.dims[stage],
               .out = c.dims[stage],
               .kernel = {c.kernels[stage], c.kernels[stage]},
               .padding = c.kernels[stage] / 2,
               .groups = c.dims[stage],
               .bias = c.conv_bias}),
      norm(c.dims[stage], c.eps),
      mlp(c, c.dims[stage]),
      drop_path{nn::DropPath::rate_of_block(c.drop_path, blocks_before(c, stage) + index,
                                            blocks_before(c, c.depths.size()))} {
  if (c.layer_scale) parameter("gamma", gamma_, {c.dims[stage]});
  child("conv_dw", conv_dw);
  child("norm", norm);
  child("mlp", mlp);
}

Tensor ConvNextBlock::forward(const Tensor& x) const {
  const Tensor y = norm.forward(channels_last(conv_dw.forward(x)));
  ops::Epilogue epilogue = {.residual = channels_last(x), .kept = drop_path.draw(x, is_training())};
  if (gamma_.defined()) epilogue.scale = gamma_;
  return seen(channels_first(mlp.forward(y, epilogue)));
}

void ConvNextBlock::initialise(const at::Generator& generator) {
  nn::Module::initialise(generator);
  if (gamma_.defined()) gamma_ = nn::constant(slot_of(gamma_).shape, 1e-6);  // section A.1
}

ConvNextStage::ConvNextStage(const ConvNextConfig& c, std::size_t index) {
  const auto dim = c.dims[index], in = c.dims[index == 0 ? 0 : index - 1];
  if (index > 0 || c.first_stage_halves) {
    child("downsample.0", norm_.emplace(in, c.eps));
    child("downsample.1", downsample_.emplace(nn::ConvConfig{
                              .in = in, .out = dim, .kernel = {2, 2}, .stride = {2, 2}, .bias = c.conv_bias}));
  }
  for (std::int64_t i = 0; i < c.depths[index]; ++i) blocks_.add(c, index, i);
  child("blocks", blocks_);
}

Tensor ConvNextStage::forward(const Tensor& map) const {
  Tensor x = downsample_ ? downsample_->forward(norm_2d(*norm_, map)) : map;
  for (std::size_t i = 0; i < blocks_.size(); ++i) x = blocks_[i].forward(x);
  return seen(x);
}

ConvNext::ConvNext(ConvNextConfig config) : config_(std::move(config)) {
  make_stem();
  for (std::size_t i = 0; i < config_.dims.size(); ++i) stages_.add(config_, i);
  child("stages", stages_);
  make_head();
}

void ConvNext::make_stem() {
  const auto& c = config_;
  if (const auto middle = c.stem.overlapping) {
    const auto conv = [&](std::int64_t in, std::int64_t out) {
      return nn::ConvConfig{
          .in = in, .out = out, .kernel = {3, 3}, .stride = {2, 2}, .padding = 1, .bias = c.conv_bias};
    };
    child("stem.0", patches_.emplace(conv(c.channels, *middle)));
    child(c.stem.activated ? "stem.2" : "stem.1", overlapping_.emplace(conv(*middle, c.dims[0])));
    child(c.stem.activated ? "stem.3" : "stem.2", stem_norm_.emplace(c.dims[0], c.eps));
    return;
  }
  child("stem.0",
        patches_.emplace(nn::ConvConfig{
            .in = c.channels, .out = c.dims[0], .kernel = c.stem.patch, .stride = c.stem.patch, .bias = c.conv_bias}));
  child("stem.1", stem_norm_.emplace(c.dims[0], c.eps));
}

void ConvNext::make_head() {
  const auto& c = config_;
  auto features = c.dims.back();
  if (c.norm_before_pool)
    child("norm_pre", norm_pre_.emplace(features, c.head_eps));
  else
    child("head.norm",
          head_norm_.emplace(features, c.head_eps, c.head_norm_affine ? nn::NormKind::layer : nn::NormKind::plain));
  if (c.head_hidden) child("head.pre_logits.fc", pre_logits_.emplace(features, *c.head_hidden));
  features = c.head_hidden.value_or(c.pool == ops::GlobalPool::both ? 2 * features : features);
  if (c.classes > 0) child("head.fc", fc_.emplace(features, c.classes));
  if (fc_) fc_->input_dropout = c.head_dropout;
}

Tensor ConvNext::stem(const Tensor& image) const {
  Tensor x = patches_->forward(image);
  if (config_.stem.activated) x = ops::activate(x, config_.activation);
  if (overlapping_) x = overlapping_->forward(x);
  return norm_2d(*stem_norm_, x);
}

Tensor ConvNext::features(const Tensor& map) const {
  Tensor x = ops::global_pool(map, config_.pool);
  if (head_norm_) x = head_norm_->forward(x);
  return pre_logits_ ? pre_logits_->forward(x, {.activation = ops::Activation::gelu}) : x;
}

ModelOutput ConvNext::forward(const Tensor& image, const ForwardOptions& options) const {
  require_picture(image, config_.channels);
  require_size(image, config_);
  ModelOutput output;
  Tensor x = stem(image.contiguous(at::MemoryFormat::ChannelsLast));
  if (options.hidden_states) output.hidden_states.push_back(x);
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    x = stages_[i].forward(x);
    if (!options.hidden_states) continue;
    output.hidden_states.push_back(x);
    output.feature_maps.push_back(x);
  }
  output.last_hidden_state = norm_pre_ ? norm_2d(*norm_pre_, x) : x;
  output.grid = {x.size(2), x.size(3)};
  output.pooler_output = features(output.last_hidden_state);
  if (fc_) output.logits = fc_->forward(output.pooler_output);
  return output;
}

}  // namespace nunchi::models
