// models/convnext.h: ConvNeXt (Liu et al. 2022) and ConvNeXt V2 (Woo et al. 2023), image [b, 3, h, w] -> feature map
// [b, 768, h / 32, w / 32] -> logits [b, classes].
//
//   models::ConvNext net(models::convnext_tiny());
//   net.forward(image, {.hidden_states = true}).feature_maps;   // [b, 96, h / 4, w / 4] ... [b, 768, h / 32, w / 32]
//
// Module names are timm's keys: stem.{0, 1}, stages.N.downsample.{0, 1}, stages.N.blocks.B.{conv_dw, norm, mlp.fc1,
// mlp.grn, mlp.fc2, gamma}, norm_pre, head.{norm, pre_logits.fc, fc}. Maps have their channels last in memory.
#pragma once

#include "models/model.h"
#include "nn/conv.h"
#include "nn/drop_path.h"
#include "nn/linear.h"
#include "nn/norm.h"
#include "ops/pool.h"

namespace nunchi::models {

struct ConvNextStem {
  std::array<std::int64_t, 2> patch = {4, 4};
  // Two overlapping convolutions of 3x3 with stride 2 instead of patches; the first has so many channels.
  std::optional<std::int64_t> overlapping;
  bool activated = false;  // between those two
};

struct ConvNextConfig {
  std::array<std::int64_t, 2> image_size = {224, 224};
  std::int64_t channels = 3, classes = 1000;
  ConvNextStem stem;
  std::vector<std::int64_t> depths = {3, 3, 9, 3}, dims = {96, 192, 384, 768}, kernels = {7, 7, 7, 7};
  bool first_stage_halves = false;  // the map, as all further stages do
  bool layer_scale = true;          // V1
  bool response_norm = false;       // V2
  bool conv_bias = true;
  ops::Activation activation = ops::Activation::gelu;
  double eps = 1e-6, head_eps = 1e-6;
  bool norm_before_pool = false;
  bool head_norm_affine = true;             // false: the file of a backbone has no weights for the norm of the head
  std::optional<std::int64_t> head_hidden;  // a further linear layer with GELU before the last
  ops::GlobalPool pool = ops::GlobalPool::average;
  double head_dropout = 0;  // of what the classifier reads; training only
  double drop_path = 0;     // of the last block (nn/drop_path.h); training only
};

ConvNextConfig convnext_tiny();

struct ConvNextMlp : nn::Module {
  ConvNextMlp(const ConvNextConfig& config, std::int64_t dim);
  Tensor forward(const Tensor& x, const ops::Epilogue& epilogue) const;  // [b, h, w, dim]

  void initialise(const at::Generator& generator) override;

  nn::Linear fc1, fc2;

 private:
  ops::Activation activation_;
  ops::ResponseNormWeights response_norm_;
};

// Figure 4 of the paper: a depthwise convolution, then a norm and an MLP for each pixel.
struct ConvNextBlock : nn::Module {
  ConvNextBlock(const ConvNextConfig& config, std::size_t stage, std::int64_t index);
  Tensor forward(const Tensor& x) const;  // [b, dim, h, w]

  void initialise(const at::Generator& generator) override;

  nn::Conv conv_dw;
  nn::LayerNorm norm;
  ConvNextMlp mlp;
  nn::DropPath drop_path;

 private:
  Tensor gamma_;
};

struct ConvNextStage : nn::Module {
  ConvNextStage(const ConvNextConfig& config, std::size_t index);
  Tensor forward(const Tensor& x) const;

 private:
  std::optional<nn::LayerNorm> norm_;  // both where the stage halves the map
  std::optional<nn::Conv> downsample_;
  nn::List<ConvNextBlock> blocks_;
};

class ConvNext : public Model {
 public:
  explicit ConvNext(ConvNextConfig config);

  // hidden_states[0] is what the stem gives, [k] the output of stage k, before the last norm.
  ModelOutput forward(const Tensor& image, const ForwardOptions& options = {}) const override;
  Shape input_shape() const override { return {config_.channels, config_.image_size[0], config_.image_size[1]}; }
  std::int64_t classes() const override { return config_.classes; }
  std::string map_layer() const override { return "stages." + std::to_string(config_.dims.size() - 1); }

 private:
  void make_stem();
  void make_head();
  Tensor stem(const Tensor& image) const;
  Tensor features(const Tensor& map) const;  // [b, c, h, w] -> what the classifier reads

  ConvNextConfig config_;
  std::optional<nn::Conv> patches_, overlapping_;
  std::optional<nn::LayerNorm> stem_norm_, norm_pre_, head_norm_;
  nn::List<ConvNextStage> stages_;
  std::optional<nn::Linear> pre_logits_, fc_;
};

}  // namespace nunchi::models
