// nn/block.h: a transformer block whose halves are scaled before they are added (layer scale, Touvron et al. 2021);
// keys `norm1`, `attn`, `gamma_1`, `norm2`, `mlp`, `gamma_2` (timm's BEiT and EVA).
//
//   nn::Block block({.attention = {.dim = 768, .heads = 12}, .mlp = {.dim = 768, .hidden = 3072}});
//   x = block.forward(x, {.bias = bias});   // [b, n, 768]
#pragma once

#include "nn/attention.h"
#include "nn/drop_path.h"
#include "nn/mlp.h"

namespace nunchi::nn {

struct BlockConfig {
  AttentionConfig attention;
  MlpConfig mlp;
  double eps = 1e-6;
  NormKind norm_kind = NormKind::layer;
  bool scale_attention = false, scale_mlp = false;  // gamma_1, gamma_2
  bool norm_after = false;  // x + norm(half(x)) instead of x + half(norm(x)); without layer scale
  DropPath drop_path = {};  // of both halves
};

class Block : public Module {
 public:
  explicit Block(const BlockConfig& config);

  Tensor forward(const Tensor& x, const Attention::Options& options = {}) const;  // [b, n, dim] -> [b, n, dim]

  void initialise(const at::Generator& generator) override;

  LayerNorm norm1;
  Attention attn;
  LayerNorm norm2;
  Mlp mlp;

 private:
  ops::Epilogue add_to(const Tensor& residual, const Tensor& gamma) const;

  Tensor gamma_1_, gamma_2_;
  bool norm_after_;
  DropPath drop_path_;
};

}  // namespace nunchi::nn
