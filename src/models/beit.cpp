#include "models/beit.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/dropout.h>
#include <fmt/format.h>

namespace nunchi::models {
namespace {

nn::BlockConfig block_config(const BeitConfig& c, std::int64_t index) {
  return {.attention = {.dim = c.dim,
                        .heads = c.heads,
                        .qkv_bias = c.qkv_bias,
                        .key_bias = false,
                        .attention_dropout = c.attention_dropout,
                        .projection_dropout = c.dropout},
          .mlp = {.dim = c.dim,
                  .hidden = c.mlp_dim,
                  .activation = c.activation,
                  .gated = c.swiglu,
                  .norm_hidden = c.norm_hidden,
                  .eps = c.eps,
                  .dropout = c.dropout},
          .eps = c.eps,
          .scale_attention = c.layer_scale,
          .scale_mlp = c.layer_scale,
          .drop_path = {nn::DropPath::rate_of_block(c.drop_path, index, c.depth)}};
}

}  // namespace

BeitConfig beit_b16() { return {}; }

BeitConfig beit_l16() {
  BeitConfig config;
  config.dim = 1024;
  config.depth = 24;
  config.heads = 16;
  config.mlp_dim = 4096;
  return config;
}

BeitBlock::BeitBlock(const BeitConfig& config, std::int64_t index) : Block(block_config(config, index)) {
  if (config.relative_bias) child("attn", bias.emplace(config.grid(), config.heads, config.resampling));
}

Beit::Beit(const BeitConfig& c) : config_(c), patch_embed_(c.channels, c.patch, c.dim) {
  const auto [rows, columns] = c.grid();
  parameter("cls_token", cls_token_, {1, 1, c.dim});
  if (c.positions) parameter("pos_embed", pos_embed_, {1, 1 + rows * columns, c.dim});
  child("patch_embed", patch_embed_);
  if (c.shared_relative_bias) child("rel_pos_bias", rel_pos_bias_.emplace(c.grid(), c.heads, c.resampling));
  for (std::int64_t i = 0; i < c.depth; ++i) blocks_.add(c, i);
  child("blocks", blocks_);
  if (c.norm_tokens) child("norm", norm_.emplace(c.dim, c.eps));
  if (c.norm_pooled) child("fc_norm", fc_norm_.emplace(c.dim, c.eps));
  if (c.classes > 0) child("head", head_.emplace(c.dim, c.classes));
  if (head_) head_->input_dropout = c.head_dropout;
}

ModelOutput Beit::forward(const Tensor& image, const ForwardOptions& options) const {
  ModelOutput output{.prefix_tokens = 1, .grid = grid_of(image)};
  Tensor x = embed(image, output.grid);
  if (options.hidden_states) output.hidden_states.push_back(x);
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    Tensor attention;
    x = blocks_[i].forward(
        x, {.bias = bias_of(blocks_[i], output.grid), .weights = options.attentions ? &attention : nullptr});
    if (options.hidden_states) output.hidden_states.push_back(x);
    if (options.attentions) output.attentions.push_back(attention);
  }
  output.last_hidden_state = norm_ ? norm_->forward(x) : x;
  answer(output);
  return output;
}

nn::Grid Beit::grid_of(const Tensor& image) const {
  const bool right = image.dim() == 4 && image.size(1) == config_.channels && image.size(2) >= config_.patch[0] &&
                     image.size(3) >= config_.patch[1];
  if (right) return {image.size(2) / config_.patch[0], image.size(3) / config_.patch[1]};
  throw Error(ErrorKind::input,
              fmt::format("expected a picture [b, {}, h, w] of at least {} x {} pixels, found {}", config_.channels,
                          config_.patch[0], config_.patch[1], to_string(image.sizes())));
}

Tensor Beit::embed(const Tensor& image, nn::Grid grid) const {
  Tensor x = at::cat({cls_token_.expand({image.size(0), -1, -1}), patch_embed_.forward(image)}, 1);
  if (config_.positions)
    x = x + nn::interpolate_positions(pos_embed_, config_.grid(), grid,
                                      {.antialias = config_.resampling == Resampling::spread});
  return is_training() && config_.dropout > 0 ? at::dropout(x, config_.dropout, true) : x;
}

std::optional<Tensor> Beit::bias_of(const BeitBlock& block, nn::Grid grid) const {
  if (block.bias && rel_pos_bias_) return block.bias->forward(grid) + rel_pos_bias_->forward(grid);
  if (block.bias) return block.bias->forward(grid);
  if (rel_pos_bias_) return rel_pos_bias_->forward(grid);
  return std::nullopt;
}

void Beit::answer(ModelOutput& output) const {
  if (config_.pool == BeitConfig::Pool::none) return;
  const Tensor& tokens = output.last_hidden_state;
  const Tensor pooled = config_.pool == BeitConfig::Pool::mean ? tokens.slice(1, 1).mean(1) : tokens.select(1, 0);
  output.pooler_output = fc_norm_ ? fc_norm_->forward(pooled) : pooled;
  if (head_) output.logits = head_->forward(output.pooler_output);
}

}  // namespace nunchi::models
