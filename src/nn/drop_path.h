// nn/drop_path.h: stochastic depth (Huang et al. 2016): in training, a block leaves its residual branch out for some of
// the samples, and makes up for it in the others.
//
//   const nn::DropPath drop_path{nn::DropPath::rate_of_block(0.1, i, depth)};
//   x = mlp.forward(y, {.residual = x, .kept = drop_path.draw(x, is_training())});
#pragma once

#include "ops/tensor.h"

namespace nunchi::nn {

struct DropPath {
  double rate = 0;  // the chance of a branch to be left out, below 1

  // The rates rise evenly from 0 at block 0 to `last` at the last of `depth` blocks (section 3 of the paper; timm,
  // torchvision and transformers agree).
  static double rate_of_block(double last, std::int64_t block, std::int64_t depth);

  // A factor for the branch of each sample, [b, 1, ...] with as many axes as x: 0 or 1 / (1 - rate). Nothing outside of
  // training, or where the rate is 0.
  std::optional<Tensor> draw(const Tensor& x, bool training) const;

  Tensor apply(const Tensor& branch, bool training) const;  // the branch times its factor
};

}  // namespace nunchi::nn
