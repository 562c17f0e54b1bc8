// nn/linear.h: a fully connected layer, keys `weight` [out, in] and `bias` [out].
#pragma once

#include "nn/module.h"
#include "ops/linear.h"

namespace nunchi::nn {

class Linear : public Module {
 public:
  Linear(std::int64_t in, std::int64_t out, bool bias = true);

  // x [..., in] -> residual + kept * scale * dropout(act(x W^T + b)), [..., out].
  Tensor forward(const Tensor& x, const ops::Epilogue& epilogue = {}) const;

  // x W^T + bias, of a layer whose own bias is kept in parts.
  Tensor forward_with_bias(const Tensor& x, const Tensor& bias) const;

  // A bias made of such parts, for the frozen layer.
  void keep_bias(const Tensor& bias);

  void freeze(const FreezeOptions& options) override;
  void thaw() override;
  void initialise(const at::Generator& generator) override;

  ops::LinearWeights weights;
  double dropout = 0, input_dropout = 0;  // of the activations and of x, in training only
};

}  // namespace nunchi::nn
