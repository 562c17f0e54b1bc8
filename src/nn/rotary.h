// nn/rotary.h: the angles of rotary position embeddings in two dimensions: half of the pairs of a head turn with the
// row of a patch, the other half with its column.
//
//   const auto table = nn::rotary_table({16, 16}, {.head_dim = 64});
//   q = ops::rotate(q, table);
#pragma once

#include "nn/position.h"
#include "ops/rotary.h"

namespace nunchi::nn {

// What is turned by: rows and columns counted from zero (EVA-02, Fang et al. 2023), or the middles of the patches in a
// picture that goes from -1 to 1 (DINOv3, Siméoni et al. 2025), times 2 pi.
enum class RotaryCoordinates { counted, centred };

struct RotaryConfig {
  std::int64_t head_dim = 64;
  double temperature = 10000;
  RotaryCoordinates coordinates = RotaryCoordinates::counted;
  std::optional<Grid> reference = {};  // counted: as if every picture had this many rows and columns
  double offset = 0;                   // of rows and columns
  bool columns_first = false;          // the first half of the pairs turns with the column
  ops::RotaryPairs pairs = ops::RotaryPairs::neighbours;
  std::int64_t prefix_tokens = 1;
};

// Sine and cosine for every patch of the grid, [n, head_dim], fp32 on the CPU.
ops::RotaryTable rotary_table(Grid grid, const RotaryConfig& config);

// The same with frequencies of each head that were learned (Heo et al. 2024): [2, heads, head_dim / 2], the first for
// rows (or columns where these are first) -> [n, heads, head_dim], differentiable.
ops::RotaryTable rotary_table(Grid grid, const RotaryConfig& config, const Tensor& frequencies);

}  // namespace nunchi::nn
