// ops/linear_int8.h: the linear layer on eight-bit integers. Weights are symmetric with a scale per output channel;
// the activations get their range row by row (per token) as they come, so that nothing needs calibration:
//
//   y = residual + scale * act(s_w (step * codes W_q^T + low * sum(W_q)) + b),   x is about low + step * codes
//
//   const ops::Int8Weights w = ops::quantise_weight(weight);              // once, when the model is frozen
//   Tensor y = ops::linear_int8(x, w, bias, {.activation = ops::Activation::gelu});
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

// The weight [out, in] as linear_int8 wants it.
Int8Weights quantise_weight(const Tensor& weight);

// The weight [out, in] in fp32 that the codes stand for.
Tensor dequantise_weight(const Int8Weights& weights);

// What the processor is fastest with between the layers of an int8 model: bf16 or fp32.
at::ScalarType int8_activation_dtype();

// x [..., in] in fp32 or bf16 -> [..., out] in its dtype. `linear` calls these.
Tensor linear_int8(const Tensor& x, const Int8Weights& weights, const Tensor& bias, const Epilogue& epilogue);
Tensor linear_int8_reference(const Tensor& x, const Int8Weights& weights, const Tensor& bias, const Epilogue& epilogue);
const char* linear_int8_obstacle(const Tensor& x);  // why linear_int8 cannot run; empty where it can

}  // namespace nunchi::ops
