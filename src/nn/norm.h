// nn/norm.h: layer normalisation (Ba et al. 2016), keys `weight` and `bias`; without them where it is not `affine`.
#pragma once

#include "nn/initialise.h"
#include "nn/module.h"
#include "ops/norm.h"

namespace nunchi::nn {

class LayerNorm : public Module {
 public:
  LayerNorm(std::int64_t dim, double eps, bool affine = true) {
    weights.eps = eps;
    if (!affine) return;
    parameter("weight", weights.weight, {dim});
    parameter("bias", weights.bias, {dim});
  }

  Tensor forward(const Tensor& x) const { return ops::layer_norm(x, weights); }  // [..., dim]

  void initialise(const at::Generator&) override {
    if (!weights.weight.defined()) return;
    weights.weight = constant(slot_of(weights.weight).shape, 1);
    weights.bias = constant(slot_of(weights.bias).shape, 0);
  }

  ops::LayerNormWeights weights;
};

}  // namespace nunchi::nn
