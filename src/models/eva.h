// models/eva.h: EVA (Fang et al. 2022), EVA-02 (Fang et al. 2023), DINOv3 (Siméoni et al. 2025) and what timm builds
// beside them (rotary ViTs, Heo et al. 2024; Perception Encoder, Bolya et al. 2025): image [b, 3, h, w] -> tokens
// [b, prefix + n, dim] -> logits [b, classes]. A ViT whose queries and keys are turned by the place of their patch.
//
//   models::Eva eva(models::dinov3_b16());
//   const auto output = eva.forward(image);
//
// Module names are timm's keys: cls_token, reg_token, pos_embed, patch_embed.proj, rope.freqs, norm_pre,
// blocks.N.{gamma_1, gamma_2, norm1, attn.{q_bias, v_bias, qkv, q_norm, k_norm, norm, proj}, norm2,
// mlp.{fc1, norm, fc2}}, norm, attn_pool, fc_norm, head. Separate projections of queries, keys and values are one
// (attn.qkv), and so are those of a gate and what it gates (mlp.fc1).
#pragma once

#include <array>

#include "core/latest.h"
#include "models/model.h"
#include "nn/attention_pool.h"
#include "nn/block.h"
#include "nn/patch_embed.h"
#include "nn/rotary.h"

namespace nunchi::models {

struct EvaConfig {
  enum class Pool { none, cls, mean, max, mean_and_max, attention };  // only attention sees the prefix tokens
  enum class Rest { cut, refuse, pad };                               // of a picture that does not divide into patches

  std::array<std::int64_t, 2> image_size = {224, 224}, patch = {16, 16};
  std::int64_t channels = 3, classes = 1000, registers = 0;
  bool class_token = true;
  std::int64_t depth = 12;
  nn::BlockConfig block;                           // the same everywhere
  bool positions = true, prefix_positions = true;  // learned ones; also for class token and registers
  std::optional<nn::RotaryConfig> rotary;
  bool learned_frequencies = false;  // of the rotary embedding, for every block and head
  bool norm_before = false, norm_tokens = false, norm_pooled = true;  // norm_pre, norm, fc_norm
  Pool pool = Pool::mean;
  nn::AttentionPoolConfig attention_pool;
  Rest rest = Rest::refuse;
  // Of training only; drop_path that of the last block (nn/drop_path.h), head_dropout of what the classifier reads.
  double embedding_dropout = 0, drop_path = 0, head_dropout = 0;

  std::int64_t dim() const { return block.attention.dim; }
  std::int64_t prefix_tokens() const { return class_token + registers; }
  nn::Grid grid() const { return {image_size[0] / patch[0], image_size[1] / patch[1]}; }
};

// Published sizes.
EvaConfig eva02_b14();   // 224 pixels, no head
EvaConfig dinov3_b16();  // 256 pixels, four registers, no head

class Eva : public Model {
 public:
  explicit Eva(const EvaConfig& config);

  ModelOutput forward(const Tensor& image, const ForwardOptions& options = {}) const override;
  Shape input_shape() const override { return {config_.channels, config_.image_size[0], config_.image_size[1]}; }
  std::int64_t classes() const override { return config_.classes; }
  std::string map_layer() const override { return "blocks." + std::to_string(config_.depth - 1) + ".norm1"; }
  const EvaConfig& config() const { return config_; }

  void freeze(const nn::FreezeOptions& options) override;
  void thaw() override;

 private:
  Tensor whole_patches(const Tensor& image) const;  // throws Error (input) for a picture that is not one of ours
  Tensor embed(const Tensor& image) const;          // [b, c, h, w] -> [b, prefix + n, dim]
  // Of every block, or one for all; none without a rotary embedding.
  std::vector<ops::RotaryTable> rotary_tables(nn::Grid grid, const Tensor& like) const;
  std::vector<ops::RotaryTable> make_rotary_tables(nn::Grid grid, const Tensor& like) const;
  Tensor pooled(const Tensor& tokens) const;
  void answer(ModelOutput& output) const;

  EvaConfig config_;
  Tensor cls_token_, reg_token_, pos_embed_, frequencies_;
  nn::PatchEmbed patch_embed_;
  nn::List<nn::Block> blocks_;
  std::optional<nn::LayerNorm> norm_pre_, norm_, fc_norm_;
  std::optional<nn::AttentionPool> attn_pool_;
  std::optional<nn::Linear> head_;
  bool frozen_ = false;
  Latest<nn::Grid, std::vector<ops::RotaryTable>> rotary_tables_;  // while frozen
};

}  // namespace nunchi::models
