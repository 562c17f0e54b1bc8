// models/vit.h: Vision Transformer (Dosovitskiy et al. 2021), image [b, 3, h, w] -> tokens [b, n, dim] -> logits [b,
// classes], with what DeiT (Touvron et al. 2021), CLIP's and SigLIP's towers (Radford et al. 2021, Zhai et al. 2023),
// DINOv2 (Oquab et al. 2023), register tokens (Darcet et al. 2023) and AIMv2 (Fini et al. 2024) add.
//
//   models::Vit vit({.patch = {32, 32}, .classes = 10});   // the base size
//   const auto output = vit.forward(image);
//
// Module names are timm's keys: cls_token, dist_token, reg_token, pos_embed, patch_embed.{backbone, proj, norm},
// norm_pre, blocks.N.{norm1, attn.{qkv, q_norm, k_norm, norm, proj}, ls1.gamma, norm2, mlp.{fc1, norm, fc2},
// ls2.gamma}, norm, attn_pool, fc_norm, head, head_dist. transformers' pooler, which timm does not have, keeps its name
// pooler.dense.
#pragma once

#include <array>

#include "models/model.h"
#include "nn/attention.h"
#include "nn/attention_pool.h"
#include "nn/drop_path.h"
#include "nn/hybrid_stem.h"
#include "nn/mlp.h"
#include "nn/norm.h"
#include "nn/patch_embed.h"

namespace nunchi::models {

// What the head reads. Only `cls` and `cls_and_mean` need a class token; mean and max leave the tokens before the
// patches out, unless VitConfig::pool_prefix takes them in.
enum class Pooling { cls, mean, max, mean_and_max, cls_and_mean, attention, none };

enum class Positions { learned, sinusoidal, none };
enum class PositionRows { patches, without_registers, all };  // the tokens for which a learned table has rows

// Where the sides of a picture are no multiples of the patch's; a model's own size is never refused.
enum class LeftOver { dropped, refused, padded };

// What pooler_output is: transformers' dense layer, the class token, or what the head reads.
enum class Pooler { none, dense, cls, head_input };

struct VitConfig {
  std::array<std::int64_t, 2> image_size = {224, 224}, patch = {16, 16};
  std::int64_t channels = 3, dim = 768, depth = 12, heads = 12, mlp_dim = 3072, classes = 1000;
  std::optional<std::int64_t> head_dim;  // dim / heads where absent
  nn::NormKind norm_kind = nn::NormKind::layer;
  double eps = 1e-6;
  ops::Activation activation = ops::Activation::gelu;
  bool patch_bias = true, qkv_bias = true;
  bool projection_bias = true;  // of the attention's projection and of the MLP
  bool swiglu = false, layer_scale = false;
  bool norm_queries_and_keys = false;
  bool norm_branches = false;  // the attention's result before its projection, the hidden units before fc2
  bool class_token = true;
  bool distillation =
      false;  // DeiT: a second token, and with teacher_head a second head; the logits are the mean of both
  bool teacher_head = false;
  std::int64_t registers = 0;
  Positions positions = Positions::learned;
  PositionRows position_rows = PositionRows::without_registers;
  nn::InterpolationOptions interpolation;  // at another size; prefix_tokens follows from position_rows
  std::optional<nn::Grid> stored_grid;     // of a table that is resampled to the model's own grid first, as timm does
  LeftOver left_over = LeftOver::dropped;
  bool patch_norms = false;         // nn::RearrangedPatchEmbed
  bool hybrid_stem = false;         // patch_embed.backbone, from whose map the patches are cut
  bool norm_patches = false;        // patch_embed.norm
  bool norm_before_blocks = false;  // norm_pre
  bool final_norm = true;
  bool norm_after_pooling = false;  // fc_norm instead of norm
  Pooling pooling = Pooling::cls;
  bool pool_prefix = false;
  Pooler pooler = Pooler::none;
  std::int64_t pooler_dim = 768;  // of a dense one: act(W cls + b)
  ops::Activation pooler_activation = ops::Activation::tanh;
  // Of training only; drop_path that of the last block (nn/drop_path.h), head_dropout of what the classifier reads.
  double dropout = 0, attention_dropout = 0, projection_dropout = 0, embedding_dropout = 0, head_dropout = 0;
  double drop_path = 0;

  std::int64_t prefix_tokens() const { return class_token + distillation + registers; }
  std::int64_t prefix_rows() const;  // of the position table
  // The kernel of patch_embed.proj, and the channels that it reads.
  std::array<std::int64_t, 2> patch_kernel() const;
  std::int64_t patch_channels() const { return hybrid_stem ? nn::HybridStem::channels : channels; }
  nn::Grid grid() const { return {image_size[0] / patch[0], image_size[1] / patch[1]}; }
  nn::Grid table_grid() const { return stored_grid.value_or(grid()); }
};

// residual + gamma * branch; key `gamma`.
struct LayerScale : nn::Module {
  explicit LayerScale(std::int64_t dim) { parameter("gamma", gamma, {dim}); }
  void initialise(const at::Generator&) override { gamma = nn::constant(slot_of(gamma).shape, 1e-5); }  // as DINOv2
  Tensor gamma;
};

struct VitBlock : nn::Module {
  explicit VitBlock(const VitConfig& config, std::int64_t index = 0);
  // x [b, n, dim] -> [b, n, dim]; `attention`, where given, receives [b, heads, n, n].
  Tensor forward(const Tensor& x, Tensor* attention = nullptr) const;

  nn::LayerNorm norm1;
  nn::Attention attn;
  nn::LayerNorm norm2;
  nn::Mlp mlp;
  std::optional<LayerScale> ls1, ls2;
  nn::DropPath drop_path;

 private:
  // What is left to do with the branch whose input was x.
  ops::Epilogue add_to(const Tensor& x, const std::optional<LayerScale>& scale) const;
};

class Vit : public Model {
 public:
  explicit Vit(const VitConfig& config);

  ModelOutput forward(const Tensor& image, const ForwardOptions& options = {}) const override;
  Shape input_shape() const override { return {config_.channels, config_.image_size[0], config_.image_size[1]}; }
  std::int64_t classes() const override { return config_.classes; }
  std::string map_layer() const override { return "blocks." + std::to_string(config_.depth - 1) + ".norm1"; }
  const VitConfig& config() const { return config_; }

 private:
  Tensor whole_patches(const Tensor& image) const;  // checked, and padded where the model pads
  Tensor embed(const Tensor& image) const;          // [b, c, h, w] -> [b, prefix + n, dim]
  Tensor embed_patches(const Tensor& image) const;
  Tensor positions(const Tensor& image, const Tensor& like) const;  // [1, prefix + n, dim], zeros without a row
  Tensor resampled_positions(const Tensor& image) const;
  Tensor pool(const Tensor& tokens) const;  // what the head reads
  Tensor pooler_output(const Tensor& tokens, const Tensor& pooled) const;
  void answer(ModelOutput& output) const;  // pooler and heads
  nn::Grid grid_of(const Tensor& image) const;

  VitConfig config_;
  Tensor cls_token_, dist_token_, reg_token_, pos_embed_;
  std::optional<nn::HybridStem> stem_;
  std::optional<nn::PatchEmbed> patch_embed_;
  std::optional<nn::RearrangedPatchEmbed> rearranged_patch_embed_;
  std::optional<nn::LayerNorm> patch_norm_, norm_pre_, norm_, fc_norm_;
  nn::List<VitBlock> blocks_;
  std::optional<nn::AttentionPool> attn_pool_;
  std::optional<nn::Linear> pooler_, head_, head_dist_;
};

}  // namespace nunchi::models
