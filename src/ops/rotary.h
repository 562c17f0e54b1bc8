// ops/rotary.h: rotary position embedding (Su et al. 2021): queries and keys are turned by angles of their position.
//
//   ops::RotaryTable table{.cos = cos, .sin = sin, .prefix_tokens = 1};   // [n, head_dim] each
//   q = ops::rotate(q, table);
#pragma once

#include "ops/tensor.h"

namespace nunchi::ops {

// Which two numbers of a head make a pair that is turned: neighbours (EVA-02), or those half a head apart (DINOv3).
enum class RotaryPairs { neighbours, halves };

struct RotaryTable {
  Tensor cos, sin;                 // [n, head_dim], or [n, heads, head_dim]; n without the prefix
  std::int64_t prefix_tokens = 0;  // class and register tokens, which have no position
  RotaryPairs pairs = RotaryPairs::neighbours;
};

// x [b, prefix + n, heads, head_dim] -> the same shape: x cos + turned(x) sin.
Tensor rotate(const Tensor& x, const RotaryTable& table);

}  // namespace nunchi::ops
