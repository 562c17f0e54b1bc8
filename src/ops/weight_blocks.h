// ops/weight_blocks.h: a weight as products read it (ops/product_kernels.h), and back.
//
//   Tensor blocks = in_blocks(weight);                     // [out, in] -> [tiles, in / together, 64, together]
//   Tensor same = from_blocks(blocks, {out, in});
#pragma once

#include "ops/tensor.h"

namespace nunchi::ops {

// weight [out, in] in fp32, bf16 or codes of eight bits (int8), on the CPU. Zeros where there is no weight.
Tensor in_blocks(const Tensor& weight);

// The weight [out, in] of this shape, bit for bit.
Tensor from_blocks(const Tensor& blocks, at::IntArrayRef shape);

}  // namespace nunchi::ops
