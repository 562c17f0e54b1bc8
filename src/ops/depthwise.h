// ops/depthwise.h: the convolution of each channel with a kernel of its own, without a call of LibTorch's: where a
// network is made of small ones, the calls cost more than the work. In fp32, bf16 and on codes of eight bits; it sums
// in fp32 in each.
//
//   const ops::DepthwiseWeights w = ops::pack_depthwise(weight, bias);   // once, when the model is frozen
//   Tensor y = ops::depthwise(x, w, {.padding = {1, 1}, .groups = 96}, {.activation = ops::Activation::relu6});
#pragma once

#include "ops/conv.h"

namespace nunchi::ops {

struct DepthwiseWeights {
  Tensor taps;    // fp32 [kernel_h, kernel_w, channels]
  Tensor bias;    // fp32 [channels]
  Tensor kernel;  // [channels, 1, kernel_h, kernel_w] without values, in the dtype of the weight
};

// Whether a convolution with a weight of this shape [channels, 1, kernel_h, kernel_w] and so many groups is one, and
// faster so.
bool is_depthwise(const Tensor& weight, std::int64_t groups);

DepthwiseWeights pack_depthwise(const Tensor& weight, const Tensor& bias);  // bias [channels] or undefined
Tensor unpack_depthwise(const DepthwiseWeights& weights);                   // the weight back, bit for bit

// x [b, channels, h, w] in fp32, bf16 or codes -> [b, channels, h', w'], channels last in memory, in the dtype of x;
// codes give numbers, or other codes where the epilogue says so. `conv2d` calls it.
Tensor depthwise(const Tensor& x, const DepthwiseWeights& weights, const ConvOptions& options,
                 const ConvEpilogue& epilogue);

}  // namespace nunchi::ops
