// nn/position.h: position encodings of token sequences.
#pragma once

#include <array>

#include "ops/tensor.h"

namespace nunchi::nn {

using Grid = std::array<std::int64_t, 2>;  // rows, columns of patches

struct InterpolationOptions {
  std::int64_t prefix_tokens = 1;  // class and other tokens in front, which keep their row
  bool antialias = false;
  bool align_corners = false;
  // DINO's way: the kernel is laid out for a grid larger by this part of a patch than the one it fills, and where
  // `even_to_same_grid` for the trained one, too.
  std::optional<double> scale_offset = {};
  bool even_to_same_grid = false;
};

// A learned table [1, prefix + from[0] * from[1], dim] resampled (bicubic) to [1, prefix + to[0] * to[1], dim].
// The same tensor where the grids agree.
Tensor interpolate_positions(const Tensor& table, Grid from, Grid to, const InterpolationOptions& options = {});

// The fixed encoding of Vaswani et al. 2017, section 3.5: [length, dim], sine in even columns, cosine in odd ones.
Tensor sinusoidal_positions(std::int64_t length, std::int64_t dim);

}  // namespace nunchi::nn
