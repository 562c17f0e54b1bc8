// ops/linear_int8.h: the linear layer on eight-bit integers. Weights are symmetric with a scale per output channel;
// the activations get their range row by row (per token) as they come, so that nothing needs calibration:
//
//   y = residual + scale * act(s_w (step * codes W_q^T + low * sum(W_q)) + b),   x is about low + step * codes
//
//   weights.packed = ops::quantise_weight(weight, bias);   // once, when the model is frozen
//   Tensor y = ops::linear(x, weights);
#pragma once

#include "ops/linear.h"

namespace nunchi::ops {

struct Int8Codes {
  Tensor codes;   // int8, of the weight's shape
  Tensor scales;  // fp32 [out, 1]
};

// A weight [out, ...] (floating, on the CPU) with the scale max |w| / 127 for each output channel; 1 where all are 0.
// Throws Error (model) where a weight is not finite.
Int8Codes int8_codes(const Tensor& weight);

// The weight [out, in] in codes of eight bits, with its bias [out], which may be undefined.
PackedWeight quantise_weight(const Tensor& weight, const Tensor& bias);

// The weight [out, in] in fp32 that the codes stand for.
Tensor dequantise_weight(const PackedWeight& weight);

// What the processor is fastest with between the layers of an int8 model: bf16 or fp32.
at::ScalarType int8_activation_dtype();

// x [..., in] in fp32 or bf16 -> [..., out] in its dtype: what the fused path of `linear` is compared with.
Tensor linear_int8_reference(const Tensor& x, const PackedWeight& weight, const Epilogue& epilogue);

}  // namespace nunchi::ops
