#include "models/eva.h"

#include <ATen/ops/amax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/dropout.h>
#include <fmt/format.h>

namespace nunchi::models {

EvaConfig eva02_b14() {
  EvaConfig config;
  config.patch = {14, 14};
  config.classes = 0;
  config.block = {.attention = {.dim = 768, .heads = 12, .key_bias = false},
                  .mlp = {.dim = 768, .hidden = 2048, .gated = true, .norm_hidden = true}};
  config.rotary = {.head_dim = 64, .reference = nn::Grid{16, 16}};
  return config;
}

EvaConfig dinov3_b16() {
  EvaConfig config;
  config.image_size = {256, 256};
  config.classes = 0;
  config.registers = 4;
  config.block = {.attention = {.dim = 768, .heads = 12, .qkv_bias = false},
                  .mlp = {.dim = 768, .hidden = 3072},
                  .eps = 1e-5,
                  .scale_attention = true,
                  .scale_mlp = true};
  config.positions = false;
  config.rotary = {.head_dim = 64,
                   .temperature = 100,
                   .coordinates = nn::RotaryCoordinates::centred,
                   .pairs = ops::RotaryPairs::halves,
                   .prefix_tokens = 5};
  config.norm_tokens = true;
  config.norm_pooled = false;
  return config;
}

Eva::Eva(const EvaConfig& c) : config_(c), patch_embed_(c.channels, c.patch, c.dim(), !c.norm_before) {
  const auto& attention = c.block.attention;
  const auto eps = c.block.eps;
  const auto norm_kind = c.block.norm_kind;
  const auto [rows, columns] = c.grid();
  const auto positions = rows * columns + (c.prefix_positions ? c.prefix_tokens() : 0);
  if (c.class_token) parameter("cls_token", cls_token_, {1, 1, c.dim()});
  if (c.registers > 0) parameter("reg_token", reg_token_, {1, c.registers, c.dim()});
  if (c.positions) parameter("pos_embed", pos_embed_, {1, positions, c.dim()});
  if (c.learned_frequencies)
    parameter("rope.freqs", frequencies_, {2, c.depth, attention.heads, attention.inner_dim() / attention.heads / 2});
  child("patch_embed", patch_embed_);
  if (c.norm_before) child("norm_pre", norm_pre_.emplace(c.dim(), eps, norm_kind));
  for (std::int64_t i = 0; i < c.depth; ++i) {
    auto block = c.block;
    block.drop_path = {nn::DropPath::rate_of_block(c.drop_path, i, c.depth)};
    blocks_.add(block);
  }
  child("blocks", blocks_);
  if (c.norm_tokens) child("norm", norm_.emplace(c.dim(), eps, norm_kind));
  if (c.pool == EvaConfig::Pool::attention) child("attn_pool", attn_pool_.emplace(c.attention_pool));
  if (c.norm_pooled) child("fc_norm", fc_norm_.emplace(c.dim(), eps, norm_kind));
  if (c.classes > 0) child("head", head_.emplace(c.dim(), c.classes));
  if (head_) head_->input_dropout = c.head_dropout;
}

ModelOutput Eva::forward(const Tensor& picture, const ForwardOptions& options) const {
  const Tensor image = whole_patches(picture);
  ModelOutput output{.prefix_tokens = config_.prefix_tokens(),
                     .registers = config_.registers,
                     .grid = {image.size(2) / config_.patch[0], image.size(3) / config_.patch[1]}};
  Tensor x = embed(image);
  const auto tables = rotary_tables(output.grid, x);
  if (options.hidden_states) output.hidden_states.push_back(x);
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    Tensor attention;
    x = blocks_[i].forward(x, {.positions = tables.empty() ? nullptr : &tables[i % tables.size()],
                               .weights = options.attentions ? &attention : nullptr});
    if (options.hidden_states) output.hidden_states.push_back(x);
    if (options.attentions) output.attentions.push_back(attention);
  }
  output.last_hidden_state = norm_ ? norm_->forward(x) : x;
  answer(output);
  return output;
}

Tensor Eva::whole_patches(const Tensor& image) const {
  const auto& [height, width] = config_.patch;
  const bool whole = image.dim() == 4 && image.size(2) % height == 0 && image.size(3) % width == 0;
  const bool right = image.dim() == 4 && image.size(1) == config_.channels && image.size(2) > 0 && image.size(3) > 0;
  if (right && whole) return image;
  if (right && config_.rest == EvaConfig::Rest::cut && image.size(2) >= height && image.size(3) >= width) return image;
  if (right && config_.rest == EvaConfig::Rest::pad)
    return at::constant_pad_nd(
        image, {0, (width - image.size(3) % width) % width, 0, (height - image.size(2) % height) % height});
  throw Error(ErrorKind::input, fmt::format("expected a picture [b, {}, h, w] of whole patches of {} x {} pixels, "
                                            "found {}",
                                            config_.channels, height, width, to_string(image.sizes())));
}

Tensor Eva::embed(const Tensor& image) const {
  const auto b = image.size(0);
  const nn::Grid grid = {image.size(2) / config_.patch[0], image.size(3) / config_.patch[1]};
  std::vector<Tensor> sequence;
  if (config_.class_token) sequence.push_back(cls_token_.expand({b, -1, -1}));
  if (config_.registers > 0) sequence.push_back(reg_token_.expand({b, -1, -1}));
  sequence.push_back(patch_embed_.forward(image));
  const bool everywhere = config_.prefix_positions;
  const auto positions = [&] {
    return nn::interpolate_positions(pos_embed_, config_.grid(), grid,
                                     {.prefix_tokens = everywhere ? config_.prefix_tokens() : 0, .antialias = true});
  };
  if (config_.positions && !everywhere) sequence.back() = sequence.back() + positions();
  Tensor x = at::cat(sequence, 1);
  if (config_.positions && everywhere) x = x + positions();
  if (is_training() && config_.embedding_dropout > 0) x = at::dropout(x, config_.embedding_dropout, true);
  return norm_pre_ ? norm_pre_->forward(x) : x;
}

std::vector<ops::RotaryTable> Eva::rotary_tables(nn::Grid grid, const Tensor& like) const {
  const auto make = [&] { return make_rotary_tables(grid, like); };
  return frozen_ ? rotary_tables_.of(grid, make) : make();
}

std::vector<ops::RotaryTable> Eva::make_rotary_tables(nn::Grid grid, const Tensor& like) const {
  std::vector<ops::RotaryTable> tables;
  if (config_.rotary && !config_.learned_frequencies) tables.push_back(nn::rotary_table(grid, *config_.rotary));
  for (std::int64_t i = 0; config_.learned_frequencies && i < config_.depth; ++i)
    tables.push_back(nn::rotary_table(grid, *config_.rotary, frequencies_.select(1, i)));
  for (auto& table : tables) {
    table.cos = table.cos.to(like.options());
    table.sin = table.sin.to(like.options());
  }
  return tables;
}

void Eva::freeze(const nn::FreezeOptions& options) {
  Module::freeze(options);
  rotary_tables_.forget();
  frozen_ = true;
}

void Eva::thaw() {
  Module::thaw();
  rotary_tables_.forget();
  frozen_ = false;
}

Tensor Eva::pooled(const Tensor& tokens) const {
  const Tensor patches = tokens.slice(1, config_.prefix_tokens());
  switch (config_.pool) {
    case EvaConfig::Pool::none:
      return {};
    case EvaConfig::Pool::cls:
      return tokens.select(1, 0);
    case EvaConfig::Pool::mean:
      return patches.mean(1);
    case EvaConfig::Pool::max:
      return at::amax(patches, 1);
    case EvaConfig::Pool::mean_and_max:
      return (patches.mean(1) + at::amax(patches, 1)) * 0.5;
    case EvaConfig::Pool::attention:
      return attn_pool_->forward(tokens);
  }
  ASSERT(false, "every pooling has its case");
}

void Eva::answer(ModelOutput& output) const {
  const Tensor pool = pooled(output.last_hidden_state);
  if (!pool.defined()) return;
  output.pooler_output = fc_norm_ ? fc_norm_->forward(pool) : pool;
  if (head_) output.logits = head_->forward(output.pooler_output);
}

}  // namespace nunchi::models
