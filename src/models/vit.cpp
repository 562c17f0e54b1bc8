#include "models/vit.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/dropout.h>
#include <fmt/format.h>

namespace nunchi::models {
namespace {

VitConfig with_size(std::int64_t dim, std::int64_t depth, std::int64_t heads) {
  VitConfig config;
  config.dim = dim;
  config.depth = depth;
  config.heads = heads;
  config.mlp_dim = 4 * dim;
  return config;
}

VitConfig with_patch(VitConfig config, std::int64_t patch) {
  config.patch = {patch, patch};
  return config;
}

ops::Epilogue add_to(const Tensor& residual, const std::optional<LayerScale>& scale) {
  return {.scale = scale ? std::optional(scale->gamma) : std::nullopt, .residual = residual};
}

}  // namespace

VitConfig vit_ti16() { return with_size(192, 12, 3); }
VitConfig vit_s16() { return with_size(384, 12, 6); }
VitConfig vit_b16() { return with_size(768, 12, 12); }
VitConfig vit_b32() { return with_patch(vit_b16(), 32); }
VitConfig vit_l16() { return with_size(1024, 24, 16); }
VitConfig vit_h14() { return with_patch(with_size(1280, 32, 16), 14); }

VitConfig vit_g14() {
  VitConfig config = with_patch(with_size(1536, 40, 24), 14);
  config.image_size = {518, 518};
  config.swiglu = config.layer_scale = config.pool_cls_token = true;
  config.mlp_dim = 4096;
  config.classes = 0;
  return config;
}

VitConfig deit_distilled(const VitConfig& base) {
  VitConfig config = base;
  config.distillation = config.teacher_head = true;
  return config;
}

VitBlock::VitBlock(const VitConfig& c)
    : norm1(c.dim, c.eps),
      attn({.dim = c.dim,
            .heads = c.heads,
            .head_dim = c.head_dim,
            .qkv_bias = c.qkv_bias,
            .attention_dropout = c.attention_dropout,
            .projection_dropout = c.projection_dropout}),
      norm2(c.dim, c.eps),
      mlp({.dim = c.dim, .hidden = c.mlp_dim, .activation = c.activation, .gated = c.swiglu, .dropout = c.dropout}) {
  child("norm1", norm1);
  child("attn", attn);
  if (c.layer_scale) child("ls1", ls1.emplace(c.dim));
  child("norm2", norm2);
  child("mlp", mlp);
  if (c.layer_scale) child("ls2", ls2.emplace(c.dim));
}

Tensor VitBlock::forward(const Tensor& x, Tensor* attention) const {
  const Tensor y = attn.forward(norm1.forward(x), add_to(x, ls1), attention);
  return mlp.forward(norm2.forward(y), add_to(y, ls2));
}

Vit::Vit(const VitConfig& config) : config_(config) {
  const auto& c = config_;
  const std::int64_t grid = (c.image_size[0] / c.patch[0]) * (c.image_size[1] / c.patch[1]);
  parameter("cls_token", cls_token_, {1, 1, c.dim});
  if (c.distillation) parameter("dist_token", dist_token_, {1, 1, c.dim});
  if (c.registers > 0) parameter("reg_token", reg_token_, {1, c.registers, c.dim});
  if (c.positions == Positions::learned) parameter("pos_embed", pos_embed_, {1, 1 + c.distillation + grid, c.dim});
  if (c.patch_norms)
    child("patch_embed", rearranged_patch_embed_.emplace(c.channels, c.patch, c.dim));
  else
    child("patch_embed", patch_embed_.emplace(c.channels, c.patch, c.dim));
  for (std::int64_t i = 0; i < c.depth; ++i) blocks_.add(c);
  child("blocks", blocks_);
  if (c.norm_after_pooling)
    child("fc_norm", fc_norm_.emplace(c.dim, c.eps));
  else
    child("norm", norm_.emplace(c.dim, c.eps));
  if (c.pooler_dim) child("pooler.dense", pooler_.emplace(c.dim, *c.pooler_dim));
  const auto pooled = c.pooling == Pooling::cls_and_mean ? 2 * c.dim : c.dim;
  if (c.classes > 0) child("head", head_.emplace(pooled, c.classes));
  if (c.classes > 0 && c.teacher_head) child("head_dist", head_dist_.emplace(pooled, c.classes));
}

ModelOutput Vit::forward(const Tensor& image, const ForwardOptions& options) {
  ModelOutput output{.prefix_tokens = prefix_tokens(), .grid = grid_of(image)};
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
  const Tensor patches = patch_embed_ ? patch_embed_->forward(image) : rearranged_patch_embed_->forward(image);
  std::vector<Tensor> sequence = {cls_token_.expand({b, -1, -1})};
  if (config_.distillation) sequence.push_back(dist_token_.expand({b, -1, -1}));
  sequence.push_back(patches);
  Tensor x = at::cat(sequence, 1);  // [b, 1 + n, dim]
  if (config_.positions != Positions::none) x = x + positions(grid_of(image), x);
  if (config_.registers > 0) x = at::cat({x.slice(1, 0, 1), reg_token_.expand({b, -1, -1}), x.slice(1, 1)}, 1);
  return is_training() && config_.embedding_dropout > 0 ? at::dropout(x, config_.embedding_dropout, true) : x;
}

Tensor Vit::positions(nn::Grid grid, const Tensor& like) const {
  if (config_.positions == Positions::sinusoidal) {
    return nn::sinusoidal_positions(like.size(1), config_.dim).to(like.options()).unsqueeze(0);
  }
  const nn::Grid trained = {config_.image_size[0] / config_.patch[0], config_.image_size[1] / config_.patch[1]};
  return nn::interpolate_positions(
      pos_embed_, trained, grid, {.prefix_tokens = 1 + config_.distillation, .antialias = config_.antialias_positions});
}

Tensor Vit::pool(const Tensor& tokens) const {
  const auto mean = [&] { return tokens.slice(1, prefix_tokens()).mean(1); };
  switch (config_.pooling) {
    case Pooling::cls:
      return tokens.select(1, 0);
    case Pooling::mean:
      return mean();
    case Pooling::cls_and_mean:
      return at::cat({tokens.select(1, 0), mean()}, 1);
  }
  ASSERT(false, "every pooling has its case");
}

void Vit::answer(ModelOutput& output) const {
  const Tensor& tokens = output.last_hidden_state;
  if (pooler_) output.pooler_output = pooler_->forward(tokens.select(1, 0), {.activation = config_.pooler_activation});
  if (config_.pool_cls_token) output.pooler_output = tokens.select(1, 0);
  if (!head_) return;
  const Tensor pooled = pool(tokens);
  output.logits = head_->forward(fc_norm_ ? fc_norm_->forward(pooled) : pooled);
  if (!head_dist_) return;
  output.further["cls_logits"] = output.logits;
  output.further["distillation_logits"] = head_dist_->forward(tokens.select(1, 1));
  output.logits = (output.logits + output.further["distillation_logits"]) / 2;
}

nn::Grid Vit::grid_of(const Tensor& image) const {
  const bool right = image.dim() == 4 && image.size(1) == config_.channels && image.size(2) >= config_.patch[0] &&
                     image.size(3) >= config_.patch[1];
  if (!right) {
    throw Error(ErrorKind::input,
                fmt::format("expected a picture [b, {}, h, w] of at least {} x {} pixels, found {}", config_.channels,
                            config_.patch[0], config_.patch[1], to_string(image.sizes())));
  }
  return {image.size(2) / config_.patch[0], image.size(3) / config_.patch[1]};
}

}  // namespace nunchi::models
