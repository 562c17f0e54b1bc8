// ops/conv.h: convolution, and the convolution that cuts a picture into patches (Dosovitskiy et al. 2021, equation 1).
//
//   Tensor map = ops::conv2d(x, {.weight = w}, {.stride = {2, 2}, .padding = {1, 1}});   // [b, c, h, w]
//   Tensor tokens = ops::patch_embed(image, {.weight = w, .bias = b});                   // [b, n, dim]
#pragma once

#include <array>

#include "ops/linear.h"
#include "ops/tensor.h"

namespace nunchi::ops {

struct ConvWeights {
  Tensor weight;  // [out, in / groups, kernel_h, kernel_w]
  Tensor bias;    // [out] or undefined
};

struct ConvOptions {
  std::array<std::int64_t, 2> stride = {1, 1}, padding = {0, 0}, dilation = {1, 1};
  std::int64_t groups = 1;
};

// x [b, in, h, w] -> [b, out, h', w'].
Tensor conv2d(const Tensor& x, const ConvWeights& weights, const ConvOptions& options = {});

struct SamePadding {
  std::int64_t kernel = 3, stride = 1, dilation = 1;
};

// TensorFlow's "same" padding: `value` around x [b, c, h, w] such that a window of this kernel and stride gives sides
// of h / stride and w / stride, rounded up. Of an odd number of rows or columns, the larger half comes last.
Tensor pad_same(const Tensor& x, const SamePadding& padding, double value = 0);

struct PatchWeights {
  Tensor weight;  // [dim, channels, patch_h, patch_w]; undefined once released after packing
  Tensor bias;    // [dim] or undefined
  Tensor packed;  // the same weight as a linear one [dim, channels * patch_h * patch_w], packed
  std::array<std::int64_t, 2> patch = {16, 16};
};

// image [b, c, h, w] -> [b, (h / patch_h) * (w / patch_w), dim], rows first; what does not fill a patch is left out.
Tensor patch_embed(const Tensor& image, const PatchWeights& weights);

// image [b, c, h, w] -> [b, n, c * patch_h * patch_w]: the pixels of each patch in the order of a convolution's weight.
Tensor patchify(const Tensor& image, std::array<std::int64_t, 2> patch);

}  // namespace nunchi::ops
