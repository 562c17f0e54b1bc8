#include "models/vit.h"

#include <ATen/ops/amax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

namespace nunchi::models {
std::int64_t VitConfig::prefix_rows() const {
  switch (position_rows) {
    case PositionRows::patches:
      return 0;
    case PositionRows::without_registers:
      return prefix_tokens() - registers;
    case PositionRows::all:
      return prefix_tokens();
  }
  ASSERT(false, "every choice of rows has its case");
}

std::array<std::int64_t, 2> VitConfig::patch_kernel() const {
  if (!hybrid_stem) return patch;
  return {patch[0] / nn::HybridStem::stride, patch[1] / nn::HybridStem::stride};
}

VitBlock::VitBlock(const VitConfig& c, std::int64_t index)
    : norm1(c.dim, c.eps, c.norm_kind),
      attn({.dim = c.dim,
            .heads = c.heads,
            .head_dim = c.head_dim,
            .qkv_bias = c.qkv_bias,
            .projection_bias = c.projection_bias,
            .norm_queries_and_keys = c.norm_queries_and_keys,
            .norm_output = c.norm_branches,
            .norm_kind = c.norm_kind,
            .eps = c.eps,
            .attention_dropout = c.attention_dropout,
            .projection_dropout = c.projection_dropout}),
      norm2(c.dim, c.eps, c.norm_kind),
      mlp({.dim = c.dim,
           .hidden = c.mlp_dim,
           .activation = c.activation,
           .gated = c.swiglu,
           .bias = c.projection_bias,
           .norm_hidden = c.norm_branches,
           .norm_kind = c.norm_kind,
           .eps = c.eps,
           .dropout = c.dropout}),
      drop_path{nn::DropPath::rate_of_block(c.drop_path, index, c.depth)} {
  child("norm1", norm1);
  child("attn", attn);
  if (c.layer_scale) child("ls1", ls1.emplace(c.dim));
  child("norm2", norm2);
  child("mlp", mlp);
  if (c.layer_scale) child("ls2", ls2.emplace(c.dim));
}

ops::Epilogue VitBlock::add_to(const Tensor& x, const std::optional<LayerScale>& scale) const {
  return {.scale = scale ? std::optional(scale->gamma) : std::nullopt,
          .residual = x,
          .kept = drop_path.draw(x, is_training())};
}

Tensor VitBlock::forward(const Tensor& x, Tensor* attention) const {
  const Tensor y = attn.forward(norm1.forward(x), add_to(x, ls1), attention);
  return seen(mlp.forward(norm2.forward(y), add_to(y, ls2)));
}

Vit::Vit(const VitConfig& config) : config_(config) {
  const auto& c = config_;
  const auto norm = [&](const std::string& name, std::optional<nn::LayerNorm>& layer) {
    child(name, layer.emplace(c.dim, c.eps, c.norm_kind));
  };
  if (c.class_token) parameter("cls_token", cls_token_, {1, 1, c.dim});
  if (c.distillation) parameter("dist_token", dist_token_, {1, 1, c.dim});
  if (c.registers > 0) parameter("reg_token", reg_token_, {1, c.registers, c.dim});
  if (c.positions == Positions::learned)
    parameter("pos_embed", pos_embed_, {1, c.prefix_rows() + c.table_grid()[0] * c.table_grid()[1], c.dim});
  if (c.hybrid_stem) child("patch_embed.backbone", stem_.emplace(c.channels));
  if (c.patch_norms)
    child("patch_embed", rearranged_patch_embed_.emplace(c.channels, c.patch, c.dim));
  else
    child("patch_embed", patch_embed_.emplace(c.patch_channels(), c.patch_kernel(), c.dim, c.patch_bias));
  if (c.norm_patches) norm("patch_embed.norm", patch_norm_);
  if (c.norm_before_blocks) norm("norm_pre", norm_pre_);
  for (std::int64_t i = 0; i < c.depth; ++i) blocks_.add(c, i);
  child("blocks", blocks_);
  if (c.final_norm && !c.norm_after_pooling) norm("norm", norm_);
  if (c.pooling == Pooling::attention) {
    child("attn_pool", attn_pool_.emplace(nn::AttentionPoolConfig{.dim = c.dim,
                                                                  .heads = c.heads,
                                                                  .mlp_dim = c.mlp_dim,
                                                                  .activation = c.activation,
                                                                  .norm_kind = c.norm_kind,
                                                                  .eps = c.eps}));
  }
  if (c.final_norm && c.norm_after_pooling) norm("fc_norm", fc_norm_);
  if (c.pooler == Pooler::dense) child("pooler.dense", pooler_.emplace(c.dim, c.pooler_dim));
  const auto pooled = c.pooling == Pooling::cls_and_mean ? 2 * c.dim : c.dim;
  if (c.classes > 0) child("head", head_.emplace(pooled, c.classes));
  if (c.classes > 0 && c.teacher_head) child("head_dist", head_dist_.emplace(pooled, c.classes));
  for (auto* head : {&head_, &head_dist_}) {
    if (*head) (*head)->input_dropout = c.head_dropout;
  }
}

ModelOutput Vit::forward(const Tensor& picture, const ForwardOptions& options) const {
  const Tensor image = whole_patches(picture);
  ModelOutput output{.prefix_tokens = config_.prefix_tokens(), .registers = config_.registers, .grid = grid_of(image)};
  Tensor x = embed(image);
  if (options.hidden_states) output.hidden_states.push_back(x);
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    Tensor attention;
    x = blocks_[i].forward(x, options.attentions ? &attention : nullptr);
    if (options.hidden_states) output.hidden_states.push_back(x);
    if (options.attentions) output.attentions.push_back(attention);
  }
  output.last_hidden_state = norm_ ? norm_->forward(x) : x;
  answer(output);
  return output;
}

Tensor Vit::embed(const Tensor& image) const {
  const auto b = image.size(0);
  std::vector<Tensor> sequence;
  for (const Tensor* token : {&cls_token_, &dist_token_, &reg_token_}) {
    if (token->defined()) sequence.push_back(token->expand({b, -1, -1}));
  }
  sequence.push_back(embed_patches(image));
  Tensor x = at::cat(sequence, 1);  // [b, prefix + n, dim]
  if (config_.positions != Positions::none) x = x + positions(image, x);
  if (is_training() && config_.embedding_dropout > 0) x = at::dropout(x, config_.embedding_dropout, true);
  return norm_pre_ ? norm_pre_->forward(x) : x;
}

Tensor Vit::embed_patches(const Tensor& image) const {
  const Tensor map = stem_ ? stem_->forward(image) : image;
  const Tensor patches = patch_embed_ ? patch_embed_->forward(map) : rearranged_patch_embed_->forward(map);
  return patch_norm_ ? patch_norm_->forward(patches) : patches;
}

Tensor Vit::positions(const Tensor& image, const Tensor& like) const {
  const auto rows = config_.prefix_rows(), without = config_.prefix_tokens() - rows;
  const Tensor table =
      config_.positions == Positions::learned
          ? resampled_positions(image)
          : nn::sinusoidal_positions(like.size(1) - without, config_.dim).to(like.options()).unsqueeze(0);
  if (without == 0) return table;
  return at::cat({table.slice(1, 0, rows), at::zeros({1, without, config_.dim}, table.options()), table.slice(1, rows)},
                 1);
}

Tensor Vit::resampled_positions(const Tensor& image) const {
  auto options = config_.interpolation;
  options.prefix_tokens = config_.prefix_rows();
  const Tensor table = nn::interpolate_positions(pos_embed_, config_.table_grid(), config_.grid(), options);
  options.even_to_same_grid = options.scale_offset && image.size(2) != image.size(3);
  return nn::interpolate_positions(table, config_.grid(), grid_of(image), options);
}

Tensor Vit::pool(const Tensor& tokens) const {
  const Tensor pooled = [&] {
    const Tensor counted = config_.pool_prefix ? tokens : tokens.slice(1, config_.prefix_tokens());
    switch (config_.pooling) {
      case Pooling::cls:
        return tokens.select(1, 0);
      case Pooling::mean:
        return counted.mean(1);
      case Pooling::max:
        return counted.amax(1);
      case Pooling::mean_and_max:
        return (counted.amax(1) + counted.mean(1)) / 2;
      case Pooling::cls_and_mean:
        return at::cat({tokens.select(1, 0), counted.mean(1)}, 1);
      case Pooling::attention:
        return attn_pool_->forward(counted);
      case Pooling::none:
        return Tensor();
    }
    ASSERT(false, "every pooling has its case");
  }();
  return fc_norm_ && pooled.defined() ? fc_norm_->forward(pooled) : pooled;
}

Tensor Vit::pooler_output(const Tensor& tokens, const Tensor& pooled) const {
  switch (config_.pooler) {
    case Pooler::none:
      return {};
    case Pooler::dense:
      return pooler_->forward(tokens.select(1, 0), {.activation = config_.pooler_activation});
    case Pooler::cls:
      return tokens.select(1, 0);
    case Pooler::head_input:
      return config_.distillation ? (tokens.select(1, 0) + tokens.select(1, 1)) / 2 : pooled;
  }
  ASSERT(false, "every pooler has its case");
}

void Vit::answer(ModelOutput& output) const {
  const Tensor& tokens = output.last_hidden_state;
  const Tensor pooled = pool(tokens);
  output.pooler_output = pooler_output(tokens, pooled);
  if (!head_) return;
  output.logits = head_->forward(pooled);
  if (!head_dist_) return;
  output.further["cls_logits"] = output.logits;
  output.further["distillation_logits"] = head_dist_->forward(tokens.select(1, 1));
  output.logits = (output.logits + output.further["distillation_logits"]) / 2;
}

Tensor Vit::whole_patches(const Tensor& image) const {
  const auto& [height, width] = config_.patch;
  const bool pads = config_.left_over == LeftOver::padded;
  const bool right = image.dim() == 4 && image.size(1) == config_.channels && image.size(2) >= (pads ? 1 : height) &&
                     image.size(3) >= (pads ? 1 : width);
  if (!right) {
    throw Error(ErrorKind::input, fmt::format("expected a picture [b, {}, h, w] of at least {} x {} pixels, found {}",
                                              config_.channels, height, width, to_string(image.sizes())));
  }
  const auto below = (height - image.size(2) % height) % height, beside = (width - image.size(3) % width) % width;
  if (below == 0 && beside == 0) return image;
  if (pads) return at::constant_pad_nd(image, {0, beside, 0, below});
  const bool own_size = image.size(2) == config_.image_size[0] && image.size(3) == config_.image_size[1];
  if (config_.left_over == LeftOver::dropped || own_size) return image;
  throw Error(ErrorKind::input,
              fmt::format("a picture of {} x {} pixels does not divide into patches of {} x {}; choose multiples of "
                          "these, such as --size {}x{}",
                          image.size(2), image.size(3), height, width, image.size(2) + below, image.size(3) + beside));
}

nn::Grid Vit::grid_of(const Tensor& image) const {
  return {image.size(2) / config_.patch[0], image.size(3) / config_.patch[1]};
}

}  // namespace nunchi::models
