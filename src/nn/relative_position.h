// nn/relative_position.h: which row of a table of relative positions each pair of tokens reads (Swin, BEiT).
#pragma once

#include "nn/position.h"

namespace nunchi::nn {

// [n, n] for the n = rows * columns tokens of a window. Entry (i, j) is the row for the way from j to i in a table
// [(2 rows - 1) * (2 columns - 1), heads], whose rows go from the furthest way up and left to that down and right.
Tensor relative_position_index(Grid window);

}  // namespace nunchi::nn
