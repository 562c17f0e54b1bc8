// nn/patch_embed.h: from a picture to a sequence of patch tokens (Dosovitskiy et al. 2021, equation 1).
#pragma once

#include "nn/linear.h"
#include "nn/norm.h"
#include "ops/conv.h"

namespace nunchi::nn {

// A convolution whose stride is its kernel; keys `proj.weight` [dim, channels, patch_h, patch_w] and `proj.bias`
// (timm).
class PatchEmbed : public Module {
 public:
  PatchEmbed(std::int64_t channels, std::array<std::int64_t, 2> patch, std::int64_t dim, bool bias = true);

  // [b, c, h, w] -> [b, n, dim]
  Tensor forward(const Tensor& image) const { return seen(ops::patch_embed(image, weights)); }

  void freeze(const FreezeOptions& options) override;
  void thaw() override;
  void initialise(const at::Generator& generator) override;

  ops::PatchWeights weights;

 private:
  bool has_bias_;
};

// LayerNorm, Linear, LayerNorm over the pixels of each patch in the order (row, column, channel), as many tutorials
// write it; keys `norm1`, `proj`, `norm2`. With both norms the identity it equals PatchEmbed after permuting the
// weight.
class RearrangedPatchEmbed : public Module {
 public:
  RearrangedPatchEmbed(std::int64_t channels, std::array<std::int64_t, 2> patch, std::int64_t dim);

  Tensor forward(const Tensor& image) const;  // [b, c, h, w] -> [b, n, dim]

  LayerNorm norm1;
  Linear proj;
  LayerNorm norm2;

 private:
  std::array<std::int64_t, 2> patch_;
};

// image [b, c, h, w] -> [b, n, patch_h * patch_w * c]: the pixels of each patch in the order (row, column, channel).
Tensor rearrange_patches(const Tensor& image, std::array<std::int64_t, 2> patch);

}  // namespace nunchi::nn
