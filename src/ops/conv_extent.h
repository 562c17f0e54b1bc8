// ops/conv_extent.h: where a convolution begins on a picture, and how large what it gives is.
#pragma once

#include "ops/conv.h"

namespace nunchi::ops {

struct PaddedSides {
  std::int64_t before, after;
};

// TensorFlow's, of an axis of this size.
PaddedSides same_padding(std::int64_t size, const SamePadding& padding);

struct ConvExtent {
  std::array<std::int64_t, 2> before, after;  // rows and columns of zeros around the picture
  std::array<std::int64_t, 2> size;           // of the result
};

// Whether each pixel of the result is made of one pixel, the one at its place.
bool is_pixelwise(const Tensor& kernel, const ConvOptions& options);

// x [b, c, h, w], kernel [out, in, kernel_h, kernel_w]; TensorFlow's padding where the options have it. Throws Error
// (input) where the kernel does not fit.
ConvExtent conv_extent(const Tensor& x, const Tensor& kernel, const ConvOptions& options);

}  // namespace nunchi::ops
