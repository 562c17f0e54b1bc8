// ops/conv_int8.h: the convolution on eight-bit integers. Weights are symmetric with a scale per output channel; each
// picture gets its range as it comes, so that nothing needs calibration. Zero, which pads it, is one of its 256 steps.
// A kernel of one pixel and stride 1 is a linear layer of pixels, which have a range each (ops/linear_int8.h).
//
//   weights.matrix = std::make_shared<ops::ConvMatrix>(ops::quantise_conv(weight, bias));   // once, when frozen
//   Tensor y = ops::conv2d(x, weights, {.padding = {1, 1}}, {.activation = ops::Activation::relu});
#pragma once

#include "ops/conv_product.h"

namespace nunchi::ops {

// weight [out, in, kernel_h, kernel_w], without groups; bias [out] or undefined. The convolution has these options.
// Throws Error (model) where a weight is not finite.
ConvMatrix quantise_conv(const Tensor& weight, const Tensor& bias, const ConvOptions& options = {});

// What the fused path of `conv2d`, conv_product(), is compared with.
Tensor conv_int8_reference(const Tensor& x, const ConvMatrix& weights, const ConvOptions& options,
                           const ConvEpilogue& epilogue);

}  // namespace nunchi::ops
