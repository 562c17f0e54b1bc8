#include "models/swin.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/dropout.h>
#include <fmt/format.h>

#include <algorithm>

namespace nunchi::models {
namespace {

constexpr double patch_eps =
    1e-5;  // of the norms of patches and merged patches, whatever the config says of the others

nn::Grid half(nn::Grid map) { return {(map[0] + 1) / 2, (map[1] + 1) / 2}; }

SwinConfig of_stages(std::vector<SwinStageConfig> stages) {
  SwinConfig config;
  config.stages = std::move(stages);
  return config;
}

// Blocks before stage `end`.
std::int64_t blocks_before(const SwinConfig& config, std::size_t end) {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < end; ++i) count += config.stages[i].depth;
  return count;
}

}  // namespace

std::vector<SwinStageConfig> swin_stages(std::int64_t dim, const std::vector<std::int64_t>& depths,
                                         const std::vector<std::int64_t>& heads, nn::Grid window, double mlp_ratio) {
  ASSERT(depths.size() == heads.size(), "every stage has its depth and its heads");
  std::vector<SwinStageConfig> stages;
  for (std::size_t i = 0; i < depths.size(); ++i) {
    SwinStageConfig stage;
    stage.depth = depths[i];
    stage.dim = dim << i;
    stage.heads = heads[i];
    stage.mlp_dim = static_cast<std::int64_t>(static_cast<double>(stage.dim) * mlp_ratio);
    stage.window = window;
    stage.shift = {window[0] / 2, window[1] / 2};
    stages.push_back(stage);
  }
  return stages;
}

SwinConfig swin_t() { return of_stages(swin_stages(96, {2, 2, 6, 2}, {3, 6, 12, 24}, {7, 7})); }
SwinConfig swin_s() { return of_stages(swin_stages(96, {2, 2, 18, 2}, {3, 6, 12, 24}, {7, 7})); }
SwinConfig swin_b() { return of_stages(swin_stages(128, {2, 2, 18, 2}, {4, 8, 16, 32}, {7, 7})); }
SwinConfig swin_l() { return of_stages(swin_stages(192, {2, 2, 18, 2}, {6, 12, 24, 48}, {7, 7})); }

SwinBlock::SwinBlock(const SwinConfig& c, const SwinStageConfig& stage, std::int64_t index, std::int64_t number)
    : norm1(stage.dim, c.eps),
      attn({.dim = stage.dim,
            .heads = stage.heads,
            .head_dim = stage.head_dim,
            .window = stage.window,
            .qkv_bias = c.qkv_bias,
            .cosine = c.second,
            .pretrained_window = stage.pretrained_window,
            .parted_score = c.parted_score,
            .attention_dropout = c.attention_dropout,
            .projection_dropout = c.dropout}),
      norm2(stage.dim, c.eps),
      mlp({.dim = stage.dim, .hidden = stage.mlp_dim, .activation = c.activation, .dropout = c.dropout}),
      drop_path{nn::DropPath::rate_of_block(c.drop_path, number, blocks_before(c, c.stages.size()))},
      second_(c.second),
      shift_then_pad_(c.shift_then_pad),
      small_maps_(c.small_maps),
      window_(stage.window),
      shift_(index % 2 == 1 ? stage.shift : nn::Grid{0, 0}) {
  child("norm1", norm1);
  child("attn", attn);
  child("norm2", norm2);
  child("mlp", mlp);
}

Tensor SwinBlock::forward(const Tensor& x, nn::Grid map, Tensor* attention) const {
  if (second_) {
    const Tensor y = x + drop_path.apply(norm1.forward(attend(x, map, {}, attention)), is_training());
    return seen(y + drop_path.apply(norm2.forward(mlp.forward(y)), is_training()));
  }
  const Tensor y = attend(norm1.forward(x), map, {.residual = x, .kept = drop_path.draw(x, is_training())}, attention);
  return seen(mlp.forward(norm2.forward(y), {.residual = y, .kept = drop_path.draw(y, is_training())}));
}

Tensor SwinBlock::attend(const Tensor& x, nn::Grid map, ops::Epilogue epilogue, Tensor* attention) const {
  const auto cut = cut_of(map);
  const auto windows = windows_.of(cut, [&] { return nn::Windows(cut, x.device()); });
  if (epilogue.residual) epilogue.residual = windows.with_padding(*epilogue.residual);
  return windows.without_padding(attn.forward(windows.with_padding(x), windows, epilogue, attention));
}

nn::WindowCut SwinBlock::cut_of(nn::Grid map) const {
  nn::WindowCut cut{.map = map, .window = window_, .shift = shift_, .shift_then_pad = shift_then_pad_};
  if (small_maps_ == SmallMaps::do_not_shift) {
    for (const std::size_t axis : {0, 1}) {
      if (map[axis] <= window_[axis]) cut.shift[axis] = 0;
    }
  }
  const auto side = std::min(map[0], map[1]);
  if (small_maps_ == SmallMaps::one_window && side <= window_[0]) {
    cut.window = {side, side};
    cut.shift = {0, 0};
  }
  return cut;
}

PatchMerging::PatchMerging(std::int64_t dim, std::int64_t out, bool second)
    : norm(second ? out : 4 * dim, patch_eps), reduction(4 * dim, out, /*bias=*/false), second_(second) {
  child("norm", norm);
  child("reduction", reduction);
}

Tensor PatchMerging::forward(const Tensor& x, nn::Grid map) const {
  const auto b = x.size(0), c = x.size(2);
  const auto [rows, columns] = half(map);
  const Tensor even = at::constant_pad_nd(x.view({b, map[0], map[1], c}), {0, 0, 0, map[1] % 2, 0, map[0] % 2});
  const Tensor four = even.view({b, rows, 2, columns, 2, c})
                          .permute({0, 1, 3, 4, 2, 5})  // [b, rows, columns, right, below, c]
                          .reshape({b, rows * columns, 4 * c});
  return seen(second_ ? norm.forward(reduction.forward(four)) : reduction.forward(norm.forward(four)));
}

SwinStage::SwinStage(const SwinConfig& config, std::size_t index) {
  const auto& stage = config.stages[index];
  if (index > 0) child("downsample", downsample.emplace(config.stages[index - 1].dim, stage.dim, config.second));
  for (std::int64_t i = 0; i < stage.depth; ++i) blocks.add(config, stage, i, blocks_before(config, index) + i);
  child("blocks", blocks);
}

Swin::Swin(const SwinConfig& config) : config_(config) {
  const auto& c = config_;
  const auto first = c.stages.front().dim, last = c.stages.back().dim;
  const std::int64_t grid = (c.image_size[0] / c.patch[0]) * (c.image_size[1] / c.patch[1]);
  if (c.absolute_positions) parameter("absolute_pos_embed", absolute_pos_embed_, {1, grid, first});
  child("patch_embed", patch_embed_.emplace(c.channels, c.patch, first));
  child("patch_embed.norm", patch_norm_.emplace(first, patch_eps));
  for (std::size_t i = 0; i < c.stages.size(); ++i) layers_.add(c, i);
  child("layers", layers_);
  if (c.final_norm) child("norm", norm_.emplace(last, c.eps));
  for (const auto number : c.features.value_or(std::vector<std::int64_t>{})) {
    if (!c.feature_norms) break;
    const auto dim = number == 0 ? first : c.stages.at(static_cast<std::size_t>(number - 1)).dim;
    const auto name = number == 0 ? "stem" : fmt::format("stage{}", number);
    child("hidden_states_norms." + name, feature_norms_.try_emplace(number, dim, patch_eps).first->second);
  }
  const auto pooled = last;
  if (c.classes > 0) child("head.fc", head_.emplace(pooled, c.classes));
  if (head_) head_->input_dropout = c.head_dropout;
}

std::string Swin::map_layer() const {
  return fmt::format("layers.{}.blocks.{}.norm1", config_.stages.size() - 1, config_.stages.back().depth - 1);
}

ModelOutput Swin::forward(const Tensor& image, const ForwardOptions& options) const {
  ModelOutput output;
  auto map = grid_of(image);
  Tensor x = embed(image, map);
  const auto remember = [&] {
    if (options.hidden_states) output.hidden_states.push_back(laid_out(x, map, config_.layout));
  };
  remember();
  if (options.hidden_states) keep_feature(output, 0, x, map);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    auto& stage = layers_[i];
    if (stage.downsample) {
      x = stage.downsample->forward(x, map);
      map = half(map);
      if (!config_.features) remember();
    }
    for (std::size_t j = 0; j < stage.blocks.size(); ++j) {
      Tensor attention;
      x = stage.blocks[j].forward(x, map, options.attentions ? &attention : nullptr);
      if (options.attentions) output.attentions.push_back(attention);
    }
    if (config_.features) remember();
    if (options.hidden_states) keep_feature(output, static_cast<std::int64_t>(i + 1), x, map);
  }
  if (!config_.features) remember();
  answer(output, x, map);
  return output;
}

Tensor Swin::embed(const Tensor& image, nn::Grid map) const {
  const auto below = map[0] * config_.patch[0] - image.size(2), right = map[1] * config_.patch[1] - image.size(3);
  const bool padded = below > 0 || right > 0;
  const Tensor whole =
      padded ? at::constant_pad_nd(image, {0, std::max<std::int64_t>(right, 0), 0, std::max<std::int64_t>(below, 0)})
             : image;
  Tensor x = patch_norm_->forward(patch_embed_->forward(whole));
  if (config_.absolute_positions) {
    const nn::Grid trained = {config_.image_size[0] / config_.patch[0], config_.image_size[1] / config_.patch[1]};
    x = x + nn::interpolate_positions(absolute_pos_embed_, trained, map, {.prefix_tokens = 0});
  }
  return is_training() && config_.dropout > 0 ? at::dropout(x, config_.dropout, true) : x;
}

nn::Grid Swin::grid_of(const Tensor& image) const {
  const auto& patch = config_.patch;
  const bool right = image.dim() == 4 && image.size(1) == config_.channels && image.size(2) > 0 && image.size(3) > 0 &&
                     (config_.pad_patches || (image.size(2) >= patch[0] && image.size(3) >= patch[1]));
  if (!right) {
    throw Error(ErrorKind::input, fmt::format("expected a picture [b, {}, h, w] of at least {} x {} pixels, found {}",
                                              config_.channels, config_.pad_patches ? 1 : patch[0],
                                              config_.pad_patches ? 1 : patch[1], to_string(image.sizes())));
  }
  if (!config_.pad_patches) return {image.size(2) / patch[0], image.size(3) / patch[1]};
  return {(image.size(2) + patch[0] - 1) / patch[0], (image.size(3) + patch[1] - 1) / patch[1]};
}

Tensor Swin::laid_out(const Tensor& x, nn::Grid map, MapLayout layout) const {
  if (layout == MapLayout::tokens) return x;
  const Tensor last = x.view({x.size(0), map[0], map[1], x.size(2)});
  return layout == MapLayout::channels_last ? last : last.permute({0, 3, 1, 2}).contiguous();
}

void Swin::keep_feature(ModelOutput& output, std::int64_t number, const Tensor& x, nn::Grid map) const {
  if (config_.features ? std::ranges::count(*config_.features, number) == 0 : number == 0) return;
  const auto norm = feature_norms_.find(number);
  const Tensor feature = norm == feature_norms_.end() ? x : norm->second.forward(x);
  output.feature_maps.push_back(laid_out(feature, map, MapLayout::channels_first));
}

void Swin::answer(ModelOutput& output, const Tensor& x, nn::Grid map) const {
  const Tensor tokens = norm_ ? norm_->forward(x) : x;
  const auto mean = [&] { return tokens.mean(1); };
  const auto max = [&] { return tokens.amax(1); };
  output.grid = map;
  output.last_hidden_state = laid_out(tokens, map, config_.layout);
  output.pooler_output = config_.pooling == MapPooling::mean  ? mean()
                         : config_.pooling == MapPooling::max ? max()
                                                              : (mean() + max()) / 2;
  if (head_) output.logits = head_->forward(output.pooler_output);
}

}  // namespace nunchi::models
