// nn/norm.h: layer normalisation (Ba et al. 2016), keys `weight` and `bias`; by the root mean square alone (Zhang and
// Sennrich 2019), key `weight`; or plain, without parameters.
#pragma once

#include "nn/initialise.h"
#include "nn/module.h"
#include "ops/norm.h"

namespace nunchi::nn {

enum class NormKind { layer, rms, plain };

class LayerNorm : public Module {
 public:
  LayerNorm(std::int64_t dim, double eps, NormKind kind = NormKind::layer) : kind_(kind) {
    weights.eps = eps;
    if (kind == NormKind::plain) return;
    parameter("weight", weights.weight, {dim});
    if (kind == NormKind::layer) parameter("bias", weights.bias, {dim});
  }

  Tensor forward(const Tensor& x) const {  // [..., dim]
    return seen(kind_ == NormKind::rms ? ops::rms_norm(x, weights.weight, weights.eps) : ops::layer_norm(x, weights));
  }

  void initialise(const at::Generator&) override {
    if (!weights.weight.defined()) return;
    weights.weight = constant(slot_of(weights.weight).shape, 1);
    if (kind_ == NormKind::layer) weights.bias = constant(slot_of(weights.bias).shape, 0);
  }

  ops::LayerNormWeights weights;

 private:
  NormKind kind_;
};

}  // namespace nunchi::nn
