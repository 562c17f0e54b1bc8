// models/resnet.h: ResNet (He et al. 2016), image [b, 3, h, w] -> feature map [b, 2048, h / 32, w / 32] -> logits
// [b, classes], with what came after it: wide (Zagoruyko and Komodakis 2016), grouped (ResNeXt, Xie et al. 2017), deep
// stems and pooled shortcuts (He et al. 2019), gated channels, and the small ones for CIFAR-10 (section 4.2).
//
//   models::ResNet net(models::resnet50());
//   net.forward(image, {.hidden_states = true}).feature_maps;   // [b, 256, h / 4, w / 4] ... [b, 2048, h / 32, w / 32]
//
// Module names are torchvision's keys, which timm has, too: conv1, bn1, layerN.B.{conv1, bn1, conv2, bn2, conv3, bn3},
// layerN.0.downsample.{0, 1}, fc; timm's deep stem is conv1.{0, 1, 3, 4, 6}, its gate layerN.B.se.
#pragma once

#include "models/model.h"
#include "nn/channel_attention.h"
#include "nn/conv_norm.h"
#include "nn/drop_path.h"
#include "ops/pool.h"

namespace nunchi::models {

enum class ResidualUnit { basic, bottleneck };  // figure 5: left, right

struct ResNetStage {
  ResidualUnit unit = ResidualUnit::basic;
  std::int64_t depth = 2, out = 64;
  std::int64_t width = 64;  // of the 3x3 convolutions
  std::int64_t stride = 1;  // of the first block
};

enum class ResNetStem {
  plain,  // one convolution 7x7 with stride 2
  deep,   // three of 3x3 (ResNet-C, He et al. 2019)
  small,  // one of 3x3 without stride, no pooling after it (CIFAR-10)
};

enum class StemPool { max, convolution };      // convolution: 3x3 with stride 2 (ResNet-RS, Bello et al. 2021)
enum class AntiAlias { none, average, blur };  // between a convolution and its stride (blur: Zhang 2019)
enum class ChannelGate { none, squeeze_excite, efficient };

enum class Shortcut {  // where a block changes the shape
  projection,          // option B: a convolution
  pooled_projection,   // the mean of 2x2 pixels, then a convolution (ResNet-D)
  padding,             // option A: every second pixel, further channels zero
};

struct ResNetConfig {
  std::array<std::int64_t, 2> image_size = {224, 224};
  std::int64_t channels = 3, classes = 1000;
  ResNetStem stem = ResNetStem::plain;
  std::vector<std::int64_t> stem_channels = {64};  // of its convolutions
  StemPool stem_pool = StemPool::max;
  std::vector<ResNetStage> stages;
  std::int64_t groups = 1;             // of the 3x3 convolutions in bottlenecks
  std::int64_t first_reduction = 1;    // a block's first convolution has so many times fewer channels (SENet-154)
  std::int64_t projection_kernel = 1;  // of a shortcut with stride
  Shortcut shortcut = Shortcut::projection;
  bool stride_in_first = false;  // bottlenecks have their stride in the 1x1 convolution, as the paper (v1), not in 3x3
  AntiAlias anti_alias = AntiAlias::none;
  ChannelGate gate = ChannelGate::none;
  double gate_ratio = 1.0 / 16;  // hidden units of squeeze-and-excitation to channels
  ops::Activation activation = ops::Activation::relu;
  ops::Activation inner_activation = ops::Activation::relu;  // within a block
  ops::GlobalPool pool = ops::GlobalPool::average;
  double head_dropout = 0;  // of what the classifier reads; training only
  double drop_path = 0;     // of the last block (nn/drop_path.h); training only
  bool pooled_map = false;  // pooler_output keeps its axes, [b, c, 1, 1], as transformers has it
};

// Four stages as in table 1 of the paper.
ResNetConfig resnet_of(ResidualUnit unit, std::array<std::int64_t, 4> depths);
ResNetConfig resnet18();
ResNetConfig resnet50();
// Section 4.2: 6 n + 2 layers, 16, 32 and 64 channels, for pictures of 32x32 pixels in 10 classes.
ResNetConfig cifar_resnet(std::int64_t depth);

struct Projection : nn::Module {
  Projection(const ResNetConfig& config, std::int64_t in, std::int64_t out, std::int64_t stride);
  Tensor forward(const Tensor& x) const;
  bool takes_codes() const { return kind_ == Shortcut::projection; }  // nothing but a convolution sees them

  std::optional<nn::ConvNorm> convolution;

 private:
  Shortcut kind_;
  std::int64_t stride_, added_channels_;
};

// Equation 1: what its convolutions add to the input.
struct ResidualBlock : nn::Module {
  ResidualBlock(const ResNetConfig& config, const ResNetStage& stage, std::int64_t in, std::int64_t stride,
                nn::DropPath drop_path);
  Tensor forward(const Tensor& x) const;

  void feeds(const ResidualBlock& next);  // as nn::ConvNorm has it
  bool takes_codes() const { return !gate_ && (!downsample_ || downsample_->takes_codes()); }
  const nn::ConvNorm& first() const { return *conv1_; }

 private:
  nn::ConvNorm& last_convolution() { return conv3_ ? *conv3_ : *conv2_; }
  Tensor residual_branch(const Tensor& x) const;  // up to the last convolution

  bool shrinks_ = false;  // by anti_alias_, after the convolution that would have a stride without it
  AntiAlias anti_alias_;
  ops::Activation activation_;
  nn::DropPath drop_path_;
  std::optional<nn::ConvNorm> conv1_, conv2_, conv3_;
  std::unique_ptr<nn::ChannelAttention> gate_;
  std::optional<Projection> downsample_;
};

struct ResNetStemLayers : nn::Module {
  explicit ResNetStemLayers(const ResNetConfig& config);
  Tensor forward(const Tensor& image) const;
  void feeds(const ResidualBlock& next);

 private:
  Tensor pooled(const Tensor& x) const;

  ResNetStem kind_;
  AntiAlias anti_alias_;
  std::vector<std::unique_ptr<nn::ConvNorm>> convolutions_;
  std::optional<nn::ConvNorm> pool_;
};

class ResNet : public Model {
 public:
  explicit ResNet(ResNetConfig config);

  // hidden_states[0] is what the stem gives, [k] the output of stage k.
  ModelOutput forward(const Tensor& image, const ForwardOptions& options = {}) const override;
  Shape input_shape() const override { return {config_.channels, config_.image_size[0], config_.image_size[1]}; }
  std::int64_t classes() const override { return config_.classes; }
  std::string map_layer() const override {
    return "layer" + std::to_string(config_.stages.size()) + "." + std::to_string(config_.stages.back().depth - 1);
  }
  const ResNetConfig& config() const { return config_; }

 private:
  using Stage = nn::List<ResidualBlock>;

  ResNetConfig config_;
  std::optional<ResNetStemLayers> stem_;
  std::vector<std::unique_ptr<Stage>> layers_;
  std::optional<nn::Linear> fc_;
};

}  // namespace nunchi::models
