// ops/linear.h: y = residual + kept * scale * act(x W^T + b).
//
//   ops::LinearWeights w{.weight = weight, .bias = bias};                 // [out, in], [out]
//   w.packed = ops::pack_linear(weight, bias);                            // once, when the model is frozen
//   Tensor y = ops::linear(x, w, {.activation = ops::Activation::gelu});  // [..., in] -> [..., out]
#pragma once

#include "ops/activation.h"
#include "ops/tensor.h"

namespace nunchi::ops {

// A weight [out, in] as the kernels want it (ops/product_kernels.h), with its bias: in fp32, in bf16, or in eight bits
// (ops/linear_int8.h makes it), where weight[j, k] is about scales[j] * code[j, k].
struct PackedWeight {
  Tensor blocks;  // [tiles, in / together, 64, together]: 64 output channels to a tile, zeros where there are none
  Tensor bias;    // fp32 [64 * tiles]
  Tensor scales, sums;  // of codes, fp32 [64 * tiles]: of each channel, the scale and scale * sum of its codes
  Tensor plain;         // [out, in] without values
  std::int64_t in = 0, out = 0;

  bool is_int8() const { return blocks.scalar_type() == at::kChar; }
  std::int64_t depth() const { return blocks.size(1) * blocks.size(3); }  // `in` in whole groups
};

struct LinearWeights {
  Tensor weight;                            // [out, in]; undefined once released after packing
  Tensor bias;                              // [out]; undefined means none
  std::optional<PackedWeight> packed = {};  // in a frozen model; it has the bias, too
};

struct Epilogue {
  Activation activation = Activation::none;
  std::optional<Tensor> scale;     // [out]: layer scale (Touvron et al. 2021)
  std::optional<Tensor> residual;  // [..., out], added last
  std::optional<Tensor> kept;      // [b, 1, ...]: a factor for each sample, of drop path (nn/drop_path.h)
};

// x [..., in] -> [..., out] in the dtype of x. The fused path runs under InferenceMode on packed weights, in fp32, bf16
// and int8; and on plain ones in fp32 on the CPU, with gradients.
Tensor linear(const Tensor& x, const LinearWeights& weights, const Epilogue& epilogue = {});

// residual + kept * scale * y: the part of the epilogue after the activation, for callers that put something in
// between.
Tensor finish(const Tensor& y, const Epilogue& epilogue);

// The weight [out, in] in fp32 or bf16, on the CPU; nothing for another. The bias is [out] or undefined.
std::optional<PackedWeight> pack_linear(const Tensor& weight, const Tensor& bias);

// The plain [out, in] weight back from a packed one, bit for bit; of eight bits, what they stand for, in fp32.
Tensor unpack_linear(const PackedWeight& packed);

}  // namespace nunchi::ops
