// nn/conv_norm.h: convolution, batch normalisation (Ioffe and Szegedy 2015) and activation, the unit of every CNN here.
//
//   nn::ConvNorm stem({.in = 3, .out = 32, .kernel = 3, .stride = 2, .padding = 1, .activation =
//   ops::Activation::relu6}); Tensor map = stem.forward(image);   // [b, 32, h / 2, w / 2]
//
// When frozen, the normalisation is folded into the convolution's weight and bias. Where a checkpoint has both beside
// the tensors of the module around them (`conv1`, `bn1`), they are its child without a name: child("", stem).
#pragma once

#include "nn/module.h"
#include "ops/activation.h"
#include "ops/conv.h"
#include "ops/norm.h"

namespace nunchi::nn {

struct ConvNormConfig {
  std::int64_t in = 3, out = 32, kernel = 1, stride = 1, padding = 0, dilation = 1, groups = 1;
  double eps = 1e-5;
  double momentum = 0.1;
  bool bias = false;  // of the convolution
  bool same = false;  // TensorFlow's padding in place of `padding`
  ops::Activation activation = ops::Activation::none;
  std::string convolution_key = "convolution", normalization_key = "normalization";
};

class ConvNorm : public Module {
 public:
  explicit ConvNorm(const ConvNormConfig& config);

  // x [b, in, h, w] -> act(kept * norm(conv(x)) + residual), [b, out, h', w']; kept [b, 1, 1, 1] of nn::DropPath.
  Tensor forward(const Tensor& x, const std::optional<Tensor>& residual = {},
                 const std::optional<Tensor>& kept = {}) const;

  // `next`, and nothing but convolutions, takes what this one gives: in int8 it gets codes where the scale of its
  // input is known, except while somebody watches, who is to see numbers.
  void feeds(const ConvNorm& next) { next_ = &next; }

  void freeze(const FreezeOptions& options) override;
  void thaw() override;
  void initialise(const at::Generator& generator) override;

 private:
  Tensor convolve_and_normalise(const Tensor& x) const;
  ops::ConvWeights folded() const;
  std::optional<ops::CodeScale> codes_for_next() const;
  bool is_frozen() const { return folded_.weight.defined() || folded_.is_packed(); }

  ConvNormConfig config_;
  ops::ConvOptions options_;
  ops::ConvWeights convolution_;
  ops::BatchNormWeights normalization_;
  Tensor batches_tracked_;
  ops::ConvWeights folded_;
  std::optional<ops::CodeScale> input_;  // of the codes that it takes, while it is frozen to int8
  const ConvNorm* next_ = nullptr;
  // A depthwise one keeps its weight in floating point then: nine products a number are no work, and rounding hurts
  // most there.
  bool takes_codes_ = false;
};

}  // namespace nunchi::nn
