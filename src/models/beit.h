// models/beit.h: BEiT (Bao et al. 2022) and BEiT v2 (Peng et al. 2022), image [b, 3, h, w] -> tokens [b, 1 + n, dim] ->
// logits [b, classes]: a ViT whose attention knows how far two patches are apart (relative position bias). data2vec's
// vision model (Baevski et al. 2022) is the same network.
//
//   models::Beit beit(models::beit_b16());
//   const auto output = beit.forward(image);
//
// Module names are timm's keys: cls_token, pos_embed, patch_embed.proj, rel_pos_bias.relative_position_bias_table,
// blocks.N.{gamma_1, gamma_2, norm1, attn.{q_bias, v_bias, qkv, proj, relative_position_bias_table}, norm2,
// mlp.{fc1, fc2}}, norm, fc_norm, head.
#pragma once

#include <array>

#include "models/beit_bias.h"
#include "models/model.h"
#include "nn/block.h"
#include "nn/patch_embed.h"

namespace nunchi::models {

struct BeitConfig {
  enum class Pool { none, cls, mean };  // mean leaves the class token out

  std::array<std::int64_t, 2> image_size = {224, 224}, patch = {16, 16};
  std::int64_t channels = 3, dim = 768, depth = 12, heads = 12, mlp_dim = 3072, classes = 1000;
  double eps = 1e-6;
  ops::Activation activation = ops::Activation::gelu;
  bool qkv_bias = true;  // of queries and values: keys have none
  bool swiglu = false, norm_hidden = false;
  bool layer_scale = true;
  bool positions = false;                      // learned, added to the patches
  bool relative_bias = true;                   // a table per block
  bool shared_relative_bias = false;           // one table for all blocks
  Resampling resampling = Resampling::spread;  // of positions and biases, for pictures of another size
  Pool pool = Pool::mean;
  bool norm_tokens = false, norm_pooled = true;  // norm, fc_norm
  // Of training only; drop_path that of the last block (nn/drop_path.h), head_dropout of what the classifier reads.
  double dropout = 0, attention_dropout = 0, drop_path = 0, head_dropout = 0;

  nn::Grid grid() const { return {image_size[0] / patch[0], image_size[1] / patch[1]}; }
};

// The published sizes, at 224 pixels and 1000 classes.
BeitConfig beit_b16();
BeitConfig beit_l16();

struct BeitBlock : nn::Block {
  BeitBlock(const BeitConfig& config, std::int64_t index);

  std::optional<RelativeBias> bias;
};

class Beit : public Model {
 public:
  explicit Beit(const BeitConfig& config);

  ModelOutput forward(const Tensor& image, const ForwardOptions& options = {}) const override;
  Shape input_shape() const override { return {config_.channels, config_.image_size[0], config_.image_size[1]}; }
  std::int64_t classes() const override { return config_.classes; }
  std::string map_layer() const override { return "blocks." + std::to_string(config_.depth - 1) + ".norm1"; }
  const BeitConfig& config() const { return config_; }

 private:
  nn::Grid grid_of(const Tensor& image) const;
  Tensor embed(const Tensor& image, nn::Grid grid) const;  // [b, c, h, w] -> [b, 1 + n, dim]
  // The bias of a block: its own, the shared one, or the sum of both.
  std::optional<Tensor> bias_of(const BeitBlock& block, nn::Grid grid) const;
  void answer(ModelOutput& output) const;

  BeitConfig config_;
  Tensor cls_token_, pos_embed_;
  nn::PatchEmbed patch_embed_;
  std::optional<RelativeBias> rel_pos_bias_;
  nn::List<BeitBlock> blocks_;
  std::optional<nn::LayerNorm> norm_, fc_norm_;
  std::optional<nn::Linear> head_;
};

}  // namespace nunchi::models
