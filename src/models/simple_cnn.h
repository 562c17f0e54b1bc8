// models/simple_cnn.h: a small network for CIFAR-10 to begin with: three times convolution, norm, ReLU and pooling,
// then two linear layers; image [b, 3, 32, 32] -> logits [b, 10]. 1,147,914 parameters.
//
//   models::SimpleCnn net({.classes = 10});
//
// Module names are those of two nn.Sequential: features.{0, 1, 4, 5, 8, 9}, classifier.{1, 4}.
#pragma once

#include "models/model.h"
#include "models/registry.h"
#include "nn/conv_norm.h"
#include "nn/linear.h"

namespace nunchi::models {

struct SimpleCnnConfig {
  std::array<std::int64_t, 2> image_size = {32, 32};  // the only one: the linear layers read the whole map
  std::int64_t channels = 3, classes = 10, hidden = 512;
  std::array<std::int64_t, 3> widths = {32, 64, 128};
  double dropout = 0.5;
};

class SimpleCnn : public Model {
 public:
  explicit SimpleCnn(const SimpleCnnConfig& config);

  // hidden_states[k] is the map after block k + 1. Throws Error (input) for pictures of another size.
  ModelOutput forward(const Tensor& image, const ForwardOptions& options = {}) const override;
  Shape input_shape() const override { return {config_.channels, config_.image_size[0], config_.image_size[1]}; }
  std::int64_t classes() const override { return config_.classes; }
  std::string map_layer() const override { return "features.8"; }

 private:
  Tensor drop(const Tensor& x) const;  // in training only

  SimpleCnnConfig config_;
  std::array<std::optional<nn::ConvNorm>, 3> features_;
  std::optional<nn::Linear> hidden_, classifier_;
};

Built build_simple_cnn(const Source& source);

}  // namespace nunchi::models
