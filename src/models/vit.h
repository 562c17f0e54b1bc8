// models/vit.h: Vision Transformer (Dosovitskiy et al. 2021), image [b, 3, h, w] -> tokens [b, n, dim] -> logits [b,
// classes], with what DeiT (Touvron et al. 2021), DINOv2 (Oquab et al. 2023) and register tokens (Darcet et al. 2023)
// add.
//
//   models::Vit vit(models::vit_b16());
//   const auto output = vit.forward(image);
//
// Module names are timm's keys: cls_token, dist_token, reg_token, pos_embed, patch_embed.proj, blocks.N.{norm1,
// attn.qkv, attn.proj, ls1.gamma, norm2, mlp.fc1, mlp.fc2, ls2.gamma}, norm, fc_norm, head, head_dist. transformers'
// pooler, which timm does not have, keeps its name pooler.dense.
#pragma once

#include <array>

#include "models/model.h"
#include "nn/attention.h"
#include "nn/mlp.h"
#include "nn/norm.h"
#include "nn/patch_embed.h"

namespace nunchi::models {

enum class Pooling { cls, mean, cls_and_mean };  // mean leaves class, distillation and register tokens out
enum class Positions { learned, sinusoidal, none };

struct VitConfig {
  std::array<std::int64_t, 2> image_size = {224, 224}, patch = {16, 16};
  std::int64_t channels = 3, dim = 768, depth = 12, heads = 12, mlp_dim = 3072, classes = 1000;
  std::optional<std::int64_t> head_dim;  // dim / heads where absent
  double eps = 1e-6;
  ops::Activation activation = ops::Activation::gelu;
  bool qkv_bias = true, swiglu = false, layer_scale = false;
  bool distillation =
      false;  // DeiT: a second token, and with teacher_head a second head; the logits are the mean of both
  bool teacher_head = false;
  std::int64_t registers = 0;
  Pooling pooling = Pooling::cls;
  Positions positions = Positions::learned;
  bool antialias_positions = false;        // when resampled to another size
  bool norm_after_pooling = false;         // fc_norm instead of norm
  bool patch_norms = false;                // nn::RearrangedPatchEmbed
  std::optional<std::int64_t> pooler_dim;  // transformers' pooler: act(W cls + b)
  ops::Activation pooler_activation = ops::Activation::tanh;
  bool pool_cls_token = false;  // DINOv2: pooler_output is the class token
  double dropout = 0, attention_dropout = 0, projection_dropout = 0, embedding_dropout = 0;  // training only
};

// The published sizes, at 224 pixels and 1000 classes.
VitConfig vit_ti16();
VitConfig vit_s16();
VitConfig vit_b16();
VitConfig vit_b32();
VitConfig vit_l16();
VitConfig vit_h14();
VitConfig vit_g14();  // DINOv2's giant: SwiGLU, layer scale, 518 pixels, no head
VitConfig deit_distilled(const VitConfig& base);

// residual + gamma * branch; key `gamma`.
struct LayerScale : nn::Module {
  explicit LayerScale(std::int64_t dim) { parameter("gamma", gamma, {dim}); }
  void initialise(const at::Generator&) override { gamma = nn::constant(slot_of(gamma).shape, 1e-5); }  // as DINOv2
  Tensor gamma;
};

struct VitBlock : nn::Module {
  explicit VitBlock(const VitConfig& config);
  // x [b, n, dim] -> [b, n, dim]; `attention`, where given, receives [b, heads, n, n].
  Tensor forward(const Tensor& x, Tensor* attention = nullptr) const;

  nn::LayerNorm norm1;
  nn::Attention attn;
  nn::LayerNorm norm2;
  nn::Mlp mlp;
  std::optional<LayerScale> ls1, ls2;
};

class Vit : public Model {
 public:
  explicit Vit(const VitConfig& config);

  ModelOutput forward(const Tensor& image, const ForwardOptions& options = {}) override;
  Shape input_shape() const override { return {config_.channels, config_.image_size[0], config_.image_size[1]}; }
  std::int64_t classes() const override { return config_.classes; }
  const VitConfig& config() const { return config_; }
  std::int64_t prefix_tokens() const { return 1 + config_.distillation + config_.registers; }

 private:
  Tensor embed(const Tensor& image) const;  // [b, c, h, w] -> [b, prefix + n, dim]
  Tensor positions(nn::Grid grid, const Tensor& like) const;
  Tensor pool(const Tensor& tokens) const;  // what the head reads
  void answer(ModelOutput& output) const;   // pooler and heads
  nn::Grid grid_of(const Tensor& image) const;

  VitConfig config_;
  Tensor cls_token_, dist_token_, reg_token_, pos_embed_;
  std::optional<nn::PatchEmbed> patch_embed_;
  std::optional<nn::RearrangedPatchEmbed> rearranged_patch_embed_;
  nn::List<VitBlock> blocks_;
  std::optional<nn::LayerNorm> norm_, fc_norm_;
  std::optional<nn::Linear> pooler_, head_, head_dist_;
};

}  // namespace nunchi::models
