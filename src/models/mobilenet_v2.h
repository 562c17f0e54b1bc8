// models/mobilenet_v2.h: MobileNetV2 (Sandler et al. 2018), image [b, 3, h, w] -> feature map [b, 1280, h / 32, w / 32]
// -> logits [b, classes], with the options of the TensorFlow original: "same" padding, depth multiplier, output stride.
//
//   models::MobileNetV2 net({.classes = 1001});
//
// Module names are transformers' keys without its prefix `mobilenet_v2.`: conv_stem.{first_conv, expand_1x1, conv_3x3,
// reduce_1x1}, layer.N.{expand_1x1, conv_3x3, reduce_1x1}, conv_1x1, classifier; each with convolution and
// normalization.
#pragma once

#include "core/json.h"
#include "models/model.h"
#include "models/registry.h"
#include "nn/conv_norm.h"
#include "nn/linear.h"

namespace nunchi::models {

struct MobileNetV2Config {
  std::array<std::int64_t, 2> image_size = {224, 224};
  std::int64_t channels = 3, classes = 1001;
  double depth_multiplier = 1, expand_ratio = 6;
  std::int64_t depth_divisible_by = 8, min_depth = 8;
  std::int64_t output_stride = 32;  // 8 or 16: dilated instead of strided convolutions from there on
  bool first_layer_is_expansion = true;
  bool finegrained_output = true;  // keeps 1280 channels at the end when the multiplier is below 1
  bool tf_padding = true;          // TensorFlow's "same": what is left over goes to the bottom and the right
  ops::Activation activation = ops::Activation::relu6;
  double eps = 1e-3;

  std::int64_t scaled(
      std::int64_t channels) const;  // by the depth multiplier, rounded as section 6 of the paper's code
  std::int64_t expanded(std::int64_t channels) const;  // by the expansion ratio
  std::int64_t output_channels() const;
};

// One convolution with its padding, norm and activation; keys `convolution` and `normalization`.
struct MobileConv : nn::ConvNorm {
  struct Options {
    std::int64_t in, out, kernel = 1, stride = 1, dilation = 1, groups = 1;
    bool activated = true;
  };
  MobileConv(const MobileNetV2Config& config, const Options& options);
  Tensor forward(const Tensor& x) const;

 private:
  bool tf_padding_;
};

// Section 3.3: expand, filter by depth, project linearly; residual where the shapes agree.
struct InvertedResidual : nn::Module {
  InvertedResidual(const MobileNetV2Config& config, std::int64_t in, std::int64_t out, std::int64_t stride,
                   std::int64_t dilation);
  Tensor forward(const Tensor& x) const;

  MobileConv expand_1x1, conv_3x3, reduce_1x1;
  bool residual;
};

struct MobileStem : nn::Module {
  MobileStem(const MobileNetV2Config& config, std::int64_t out);
  Tensor forward(const Tensor& image) const;

  MobileConv first_conv;
  std::optional<MobileConv> expand_1x1;
  MobileConv conv_3x3, reduce_1x1;
};

class MobileNetV2 : public Model {
 public:
  explicit MobileNetV2(const MobileNetV2Config& config);

  // hidden_states[k] is the output of layer.k, as in transformers: there is no entry for the stem.
  ModelOutput forward(const Tensor& image, const ForwardOptions& options = {}) override;
  Shape input_shape() const override { return {config_.channels, config_.image_size[0], config_.image_size[1]}; }
  std::int64_t classes() const override { return config_.classes; }

 private:
  MobileNetV2Config config_;
  std::optional<MobileStem> conv_stem_;
  nn::List<InvertedResidual> layer_;
  std::optional<MobileConv> conv_1x1_;
  std::optional<nn::Linear> classifier_;
};

MobileNetV2Config mobilenet_v2_config_from_transformers(const Source& source);
weights::KeyTable mobilenet_v2_keys_of_transformers(const MobileNetV2Config& config);

Built build_mobilenet_v2(const Source& source);

}  // namespace nunchi::models
