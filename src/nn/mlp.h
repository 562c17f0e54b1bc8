// nn/mlp.h: the feed-forward half of a transformer block; keys `fc1`, `norm` and `fc2` (timm).
#pragma once

#include "nn/linear.h"
#include "nn/norm.h"

namespace nunchi::nn {

struct MlpConfig {
  std::int64_t dim = 768, hidden = 3072;
  ops::Activation activation = ops::Activation::gelu;
  bool gated = false;  // SwiGLU (Shazeer 2020): fc1 is twice as wide, gate first; `gate` instead of `activation`
  ops::Activation gate = ops::Activation::silu;
  bool bias = true;
  bool norm_hidden = false;  // the hidden units before fc2, key `norm`
  NormKind norm_kind = NormKind::layer;
  double eps = 1e-6;
  double dropout = 0;
};

class Mlp : public Module {
 public:
  explicit Mlp(const MlpConfig& config);

  Tensor forward(const Tensor& x, const ops::Epilogue& epilogue = {}) const;  // [b, n, dim] -> [b, n, dim]

  Linear fc1, fc2;
  std::optional<LayerNorm> norm;

 private:
  ops::Activation activation_, gate_;
  bool gated_;
};

}  // namespace nunchi::nn
