// nn/conv.h: a convolution without a norm, keys `weight` [out, in / groups, kernel, kernel] and `bias` [out].
//
//   nn::Conv depthwise({.in = 96, .out = 96, .kernel = {7, 7}, .padding = 3, .groups = 96});
#pragma once

#include "nn/module.h"
#include "ops/conv.h"

namespace nunchi::nn {

struct ConvConfig {
  std::int64_t in = 3, out = 96;
  std::array<std::int64_t, 2> kernel = {1, 1}, stride = {1, 1};
  std::int64_t padding = 0, groups = 1;
  bool bias = true;
};

class Conv : public Module {
 public:
  explicit Conv(const ConvConfig& config);

  // [b, in, h, w] -> [b, out, ...]
  Tensor forward(const Tensor& x) const { return seen(ops::conv2d(x, weights_, options_)); }

  void freeze(const FreezeOptions& options) override;
  void thaw() override;
  void initialise(const at::Generator& generator) override;

 private:
  ops::ConvWeights weights_;
  ops::ConvOptions options_;
};

}  // namespace nunchi::nn
