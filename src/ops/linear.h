// ops/linear.h: y = residual + kept * scale * act(x W^T + b).
//
//   ops::LinearWeights w{.weight = weight, .bias = bias};                 // [out, in], [out]
//   w.packed = ops::pack_linear(weight);                                  // once, when the model is frozen
//   Tensor y = ops::linear(x, w, {.activation = ops::Activation::gelu});  // [..., in] -> [..., out]
#pragma once

#include "ops/activation.h"
#include "ops/tensor.h"

namespace nunchi::ops {

// A weight in eight bits (ops/linear_int8.h makes it): weight[j, k] is about scales[j] * code[j, k].
struct Int8Weights {
  Tensor blocks;        // int8 codes [tiles, in / 4, 64, 4]: 64 output channels to a tile, zeros where there are none
  Tensor scales, sums;  // fp32 [64 * tiles]: of each channel, the scale and scale * sum of its codes
  std::int64_t in = 0, out = 0;
};

struct LinearWeights {
  Tensor weight;                         // [out, in]; undefined once released after packing
  Tensor bias;                           // [out]; undefined means none
  Tensor packed = {};                    // what pack_linear returned; undefined while the model is not frozen
  std::optional<Int8Weights> int8 = {};  // in place of `packed` in a model frozen to int8
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

// The fused path itself, for what is a product in other words. x and the packed weight have one dtype; no gradients.
Tensor linear_packed(const Tensor& x, const LinearWeights& weights, const Epilogue& epilogue);

// residual + kept * scale * y: the part of the epilogue after the activation, for callers that put something in
// between.
Tensor finish(const Tensor& y, const Epilogue& epilogue);

// The weight [out, in] (fp32 or bf16, on the CPU) in the blocked layout of oneDNN. Undefined where oneDNN has no kernel
// for it on this processor: the reference then runs.
Tensor pack_linear(const Tensor& weight);

// The plain [out, in] weight back from a packed one, bit for bit.
Tensor unpack_linear(const Tensor& packed);

}  // namespace nunchi::ops
