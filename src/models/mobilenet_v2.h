// models/mobilenet_v2.h: MobileNetV2 (Sandler et al. 2018), image [b, 3, h, w] -> feature map [b, 1280, h / 32, w / 32]
// -> logits [b, classes], with the padding of the TensorFlow original or without.
//
//   models::MobileNetV2Config config{.classes = 1001};
//   models::set_layers(config, {.depth_multiplier = 1.4});
//   models::MobileNetV2 net(config);
//
// Module names are transformers' keys without its prefix `mobilenet_v2.`: conv_stem.{first_conv, expand_1x1, conv_3x3,
// reduce_1x1}, layer.N.{expand_1x1, conv_3x3, reduce_1x1}, conv_1x1, classifier; each with convolution and
// normalization.
#pragma once

#include "models/model.h"
#include "nn/conv_norm.h"
#include "nn/drop_path.h"
#include "nn/linear.h"

namespace nunchi::models {

struct MobileNetV2Block {
  std::int64_t hidden, out;  // channels of the depthwise convolution, and after the block
  std::int64_t stride = 1, dilation = 1;
};

struct MobileNetV2Config {
  std::array<std::int64_t, 2> image_size = {224, 224};
  std::int64_t channels = 3, classes = 1001;
  std::int64_t first = 32, stem = 16;  // channels of the first convolution, and after the first block
  std::vector<MobileNetV2Block> blocks;
  std::int64_t features = 1280;
  bool first_layer_is_expansion = true;
  bool residual_stem =
      false;               // timm and torchvision add the first convolution where the first block keeps its channels
  bool tf_padding = true;  // TensorFlow's "same": what is left over goes to the bottom and the right
  ops::Activation activation = ops::Activation::relu6;
  double eps = 1e-3, momentum = 0.997;
  double drop_path = 0, head_dropout = 0;  // of training only, as in timm; head_dropout of what the classifier reads
};

// Table 2 of the paper, without its first line.
struct MobileNetV2Stage {
  std::int64_t out, repeats, stride;
};
inline constexpr std::array<MobileNetV2Stage, 6> mobilenet_v2_stages = {
    {{24, 2, 2}, {32, 3, 2}, {64, 4, 2}, {96, 3, 1}, {160, 3, 2}, {320, 1, 1}}};

// What the TensorFlow original lets one choose, with its rounding.
struct MobileNetV2Scaling {
  double depth_multiplier = 1, expand_ratio = 6;
  std::int64_t depth_divisible_by = 8, min_depth = 8;
  std::int64_t output_stride = 32;  // 8 or 16: dilated instead of strided convolutions from there on
  bool finegrained_output = true;   // keeps 1280 channels at the end when the multiplier is below 1

  std::int64_t scaled(
      std::int64_t channels) const;  // by the depth multiplier, rounded as section 6 of the paper's code
  std::int64_t expanded(std::int64_t channels) const;  // by the expansion ratio
  std::int64_t output_channels() const;
};
void set_layers(MobileNetV2Config& config, const MobileNetV2Scaling& scaling);

// One convolution with its padding, norm and activation; keys `convolution` and `normalization`.
struct MobileConv : nn::ConvNorm {
  struct Options {
    std::int64_t in, out, kernel = 1, stride = 1, dilation = 1, groups = 1;
    bool activated = true;
  };
  MobileConv(const MobileNetV2Config& config, const Options& options);
};

// Section 3.3: expand, filter by depth, project linearly; residual where the shapes agree.
struct InvertedResidual : nn::Module {
  InvertedResidual(const MobileNetV2Config& config, const MobileNetV2Block& block, std::int64_t in,
                   nn::DropPath drop_path);
  Tensor forward(const Tensor& x) const;

  MobileConv expand_1x1, conv_3x3, reduce_1x1;
  bool residual;
  nn::DropPath drop_path;
};

struct MobileStem : nn::Module {
  explicit MobileStem(const MobileNetV2Config& config);
  Tensor forward(const Tensor& image) const;

  MobileConv first_conv;
  std::optional<MobileConv> expand_1x1;
  MobileConv conv_3x3, reduce_1x1;
  bool residual;
};

class MobileNetV2 : public Model {
 public:
  explicit MobileNetV2(MobileNetV2Config config);

  // hidden_states[k] is the output of layer.k, as in transformers: there is no entry for the stem. A feature map is
  // what a block with stride reads, and the last block's output.
  ModelOutput forward(const Tensor& image, const ForwardOptions& options = {}) const override;
  Shape input_shape() const override { return {config_.channels, config_.image_size[0], config_.image_size[1]}; }
  std::int64_t classes() const override { return config_.classes; }
  std::string map_layer() const override { return "conv_1x1"; }

 private:
  MobileNetV2Config config_;
  std::optional<MobileStem> conv_stem_;
  nn::List<InvertedResidual> layer_;
  std::optional<MobileConv> conv_1x1_;
  std::optional<nn::Linear> classifier_;
};

}  // namespace nunchi::models
