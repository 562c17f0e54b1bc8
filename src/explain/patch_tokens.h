// explain/patch_tokens.h: the tokens of a picture's patches alone, whatever the network puts before them.
//
//   const PatchTokens patches = patch_tokens(model.forward(pixels));
//   patches.values;   // [b, rows * columns, dim]
//   patches.grid;     // {rows, columns}
//
// Of a network with stages (Swin, ResNet) they are the places of the last feature map.
#pragma once

#include "explain/anatomy.h"

namespace nunchi::explain {

struct PatchTokens {
  Tensor values;           // [b, rows * columns, dim], float, row by row
  nn::Grid grid = {0, 0};  // rows, columns

  std::int64_t count() const { return grid[0] * grid[1]; }
};

// Throws Error (usage) where the network has no patches, Error (model) where a number is not finite.
PatchTokens patch_tokens(const models::ModelOutput& output);

// The same of what one layer gave (nn/watch.h). Throws Error (usage) with its name where its values have no places in
// the picture.
PatchTokens patch_tokens_of_layer(const std::string& layer, const Tensor& values, const Anatomy& anatomy);

// The tokens of several pictures as one list of rows [n, dim], and a list of such rows back in parts, one for each.
Tensor joined_rows(const std::vector<PatchTokens>& pictures);
std::vector<Tensor> parted(const Tensor& per_row, const std::vector<PatchTokens>& pictures);

// Row and column of a patch as a place in the list of patches. Throws Error (usage) where it is outside the grid.
std::int64_t patch_index(nn::Grid grid, std::int64_t row, std::int64_t column);

}  // namespace nunchi::explain
