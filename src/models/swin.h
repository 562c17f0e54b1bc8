// models/swin.h: Swin Transformer (Liu et al. 2021) and its second version (Liu et al. 2022), image [b, 3, h, w] ->
// maps of h / 4 x w / 4 tokens down to h / 32 x w / 32, twice as wide from stage to stage -> logits [b, classes].
//
//   models::Swin swin(models::swin_t());
//   swin.forward(image, {.hidden_states = true}).feature_maps;   // [b, 96, h / 4, w / 4] ... [b, 768, h / 32, w / 32]
//
// Module names are timm's keys: patch_embed.{proj, norm}, layers.S.downsample.{norm, reduction},
// layers.S.blocks.N.{norm1, attn, norm2, mlp.{fc1, fc2}}, norm, head.fc; attn as nn::WindowAttention has it. What timm
// lacks keeps the name of its publisher: absolute_pos_embed (the authors), hidden_states_norms.stageS (transformers'
// backbone).
#pragma once

#include <map>

#include "core/latest.h"
#include "models/model.h"
#include "nn/drop_path.h"
#include "nn/mlp.h"
#include "nn/norm.h"
#include "nn/patch_embed.h"
#include "nn/window_attention.h"

namespace nunchi::models {

struct SwinStageConfig {
  std::int64_t depth = 2, dim = 96, heads = 3, mlp_dim = 384;
  std::optional<std::int64_t> head_dim;  // dim / heads where absent
  nn::Grid window = {7, 7};
  nn::Grid shift = {3, 3};              // of every other block
  nn::Grid pretrained_window = {0, 0};  // version 2, see nn::WindowAttentionConfig
};

// What becomes of window and shift on a map that is not larger than the window.
enum class SmallMaps {
  keep,          // timm, which decided by the image size it was made for; transformers' backbones
  do_not_shift,  // torchvision: along such an axis
  one_window,    // transformers: if either axis is so, the window is the smaller one and nothing shifts
};

enum class MapPooling { mean, max, mean_and_max };

// The layout in which maps of tokens are answered; tokens: [b, n, c].
enum class MapLayout { tokens, channels_last, channels_first };

struct SwinConfig {
  std::array<std::int64_t, 2> image_size = {224, 224}, patch = {4, 4};
  std::int64_t channels = 3, classes = 1000;
  std::vector<SwinStageConfig> stages;
  bool second = false;  // version 2: norms behind the branches, cosine attention, positions from coordinates
  double eps = 1e-5;    // of the blocks and the last norm
  ops::Activation activation = ops::Activation::gelu;
  bool qkv_bias = true;
  bool absolute_positions = false;
  bool pad_patches = true;      // a picture that does not fill its patches; otherwise the rest is left out
  bool shift_then_pad = false;  // see nn::WindowCut
  SmallMaps small_maps = SmallMaps::keep;
  double parted_score = -100;
  MapLayout layout = MapLayout::channels_last;  // of hidden states and last_hidden_state
  bool final_norm = true;
  MapPooling pooling = MapPooling::mean;
  // transformers' backbone: which maps are features, 0 the embeddings, k those of stage k (all stages where absent),
  // each with a norm of its own or none; hidden states are then taken before the merging instead of after it.
  std::optional<std::vector<std::int64_t>> features;
  bool feature_norms = false;
  // Of training only; drop_path that of the last block (nn/drop_path.h), head_dropout of what the classifier reads.
  double dropout = 0, attention_dropout = 0, head_dropout = 0;
  double drop_path = 0;
};

// Stages that double their width, with windows of one size, shifted by half of it.
std::vector<SwinStageConfig> swin_stages(std::int64_t dim, const std::vector<std::int64_t>& depths,
                                         const std::vector<std::int64_t>& heads, nn::Grid window, double mlp_ratio = 4);

// The published sizes, at 224 pixels and 1000 classes.
SwinConfig swin_t();
SwinConfig swin_s();
SwinConfig swin_b();
SwinConfig swin_l();

struct SwinBlock : nn::Module {
  // Block `index` of its stage, number `number` of the whole model.
  SwinBlock(const SwinConfig& config, const SwinStageConfig& stage, std::int64_t index, std::int64_t number = 0);
  // x [b, h * w, dim], map {h, w} -> the same; `attention`, where given, receives [b * windows, heads, n, n].
  Tensor forward(const Tensor& x, nn::Grid map, Tensor* attention = nullptr) const;

  nn::LayerNorm norm1;
  nn::WindowAttention attn;
  nn::LayerNorm norm2;
  nn::Mlp mlp;
  nn::DropPath drop_path;

 private:
  Tensor attend(const Tensor& x, nn::Grid map, ops::Epilogue epilogue, Tensor* attention) const;
  nn::WindowCut cut_of(nn::Grid map) const;

  bool second_, shift_then_pad_;
  SmallMaps small_maps_;
  nn::Grid window_, shift_;
  Latest<nn::WindowCut, nn::Windows> windows_;
};

// Four neighbours become one token, twice as wide: [b, h * w, dim] -> [b, ceil(h / 2) * ceil(w / 2), out].
struct PatchMerging : nn::Module {
  PatchMerging(std::int64_t dim, std::int64_t out, bool second);
  Tensor forward(const Tensor& x, nn::Grid map) const;

  nn::LayerNorm norm;  // before the reduction; in version 2 behind it
  nn::Linear reduction;

 private:
  bool second_;
};

struct SwinStage : nn::Module {
  SwinStage(const SwinConfig& config, std::size_t index);

  std::optional<PatchMerging> downsample;  // from the stage before
  nn::List<SwinBlock> blocks;
};

class Swin : public Model {
 public:
  explicit Swin(const SwinConfig& config);

  // hidden_states[0] are the embeddings, [k] what the merging behind stage k makes, and the last one the last stage.
  ModelOutput forward(const Tensor& image, const ForwardOptions& options = {}) const override;
  Shape input_shape() const override { return {config_.channels, config_.image_size[0], config_.image_size[1]}; }
  std::int64_t classes() const override { return config_.classes; }
  std::string map_layer() const override;
  const SwinConfig& config() const { return config_; }

 private:
  Tensor embed(const Tensor& image, nn::Grid map) const;  // [b, h * w, dim]
  nn::Grid grid_of(const Tensor& image) const;
  Tensor laid_out(const Tensor& x, nn::Grid map, MapLayout layout) const;
  void keep_feature(ModelOutput& output, std::int64_t number, const Tensor& x, nn::Grid map) const;
  void answer(ModelOutput& output, const Tensor& x, nn::Grid map) const;  // last norm, pooling and head

  SwinConfig config_;
  Tensor absolute_pos_embed_;
  std::optional<nn::PatchEmbed> patch_embed_;
  std::optional<nn::LayerNorm> patch_norm_, norm_;
  nn::List<SwinStage> layers_;
  std::map<std::int64_t, nn::LayerNorm> feature_norms_;
  std::optional<nn::Linear> head_;
};

}  // namespace nunchi::models
