// ops/conv_int8.h: the convolution on eight-bit integers. Weights are symmetric with a scale per output channel; each
// picture gets its range as it comes, so that nothing needs calibration. Zero, which pads it, is one of its 256 steps.
// A kernel of one pixel and stride 1 is a linear layer of pixels, which have a range each (ops/linear_int8.h).
//
//   const ops::Int8Conv w = ops::quantise_conv(weight, bias);    // once, when the model is frozen
//   Tensor y = ops::conv_int8(x, w, {.padding = {1, 1}}, {.activation = ops::Activation::relu});
#pragma once

#include "ops/conv.h"

namespace nunchi::ops {

struct Int8Conv {
  Int8Weights matrix;  // of [out, kernel_h * kernel_w * channels], the channels in whole fours
  Tensor kernel;       // [out, in, kernel_h, kernel_w] without values
  Tensor bias;         // fp32, in whole tiles of channels
};

// weight [out, in, kernel_h, kernel_w], without groups; bias [out] or undefined. Throws Error (model) where a weight is
// not finite.
Int8Conv quantise_conv(const Tensor& weight, const Tensor& bias);

// The weight [out, in, kernel_h, kernel_w] in fp32 that the codes stand for.
Tensor dequantise_conv(const Int8Conv& weights);

// x [b, in, h, w] in fp32 or bf16 -> [b, out, h', w'] in its dtype, channels last in memory; or of codes, which have
// their range already. Codes are given where the epilogue says so and every input is a number. `conv2d` calls these.
Tensor conv_int8(const Tensor& x, const Int8Conv& weights, const ConvOptions& options, const ConvEpilogue& epilogue);
Tensor conv_int8_reference(const Tensor& x, const Int8Conv& weights, const ConvOptions& options,
                           const ConvEpilogue& epilogue);

}  // namespace nunchi::ops
