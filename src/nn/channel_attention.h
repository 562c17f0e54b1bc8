// nn/channel_attention.h: gates of a feature map's channels: squeeze-and-excitation (Hu et al. 2018) and efficient
// channel attention (Wang et al. 2020).
//
//   nn::SqueezeExcite se(256, 16);
//   Tensor y = se.forward(x);   // [b, 256, h, w], each channel scaled by what the means of all say
#pragma once

#include "nn/linear.h"

namespace nunchi::nn {

class ChannelAttention : public Module {
 public:
  virtual Tensor forward(const Tensor& x) const = 0;  // [b, c, h, w] -> the same shape
};

// Keys `fc1` and `fc2`, as linear layers.
class SqueezeExcite : public ChannelAttention {
 public:
  SqueezeExcite(std::int64_t channels, std::int64_t hidden);
  Tensor forward(const Tensor& x) const override;

  Linear fc1, fc2;
};

// Each channel's gate looks at the means of its neighbours only; key `conv.weight` [1, 1, kernel].
class EfficientChannelAttention : public ChannelAttention {
 public:
  explicit EfficientChannelAttention(std::int64_t channels);
  Tensor forward(const Tensor& x) const override;
  void initialise(const at::Generator& generator) override;

  static std::int64_t kernel(std::int64_t channels);  // section 3.2.3, equation 12

 private:
  Tensor weight_;
};

}  // namespace nunchi::nn
