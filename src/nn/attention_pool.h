// nn/attention_pool.h: attention pooling: a learned query looks at all tokens and sums them up (Lee et al. 2019, as in
// SigLIP, Zhai et al. 2023).
//
//   nn::AttentionPool pool({.dim = 768, .heads = 12, .mlp_dim = 3072});
//   Tensor vector = pool.forward(tokens);   // [b, n, 768] -> [b, 768]
#pragma once

#include "nn/mlp.h"

namespace nunchi::nn {

struct AttentionPoolConfig {
  std::int64_t dim = 768, heads = 12, mlp_dim = 3072;
  ops::Activation activation = ops::Activation::gelu;
  NormKind norm_kind = NormKind::layer;
  double eps = 1e-6;
};

// Keys `latent`, `q`, `kv`, `proj`, `norm`, `mlp` (timm).
class AttentionPool : public Module {
 public:
  explicit AttentionPool(const AttentionPoolConfig& config);

  Tensor forward(const Tensor& tokens) const;  // [b, n, dim] -> [b, dim]

  Tensor latent;
  Linear q, kv, proj;
  LayerNorm norm;
  Mlp mlp;

 private:
  std::int64_t heads_;
};

}  // namespace nunchi::nn
