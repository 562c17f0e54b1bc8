// ops/depthwise_kernels.h: the inner loop of the depthwise convolution, one namespace per instruction set.
#pragma once

#include "ops/product_kernels.h"

namespace nunchi::ops {

// A row of the result. X is float or Bf16Bits, or std::uint8_t for codes: x = step * (code - zero). The channels are
// last; the weights, and what comes after them, in fp32.
template <class X, class Y>
struct DepthwiseRow {
  const X* x;  // [rows, width, channels], row_stride apart: those of the picture that the kernel meets
  std::int64_t rows, row_stride, width, channels;
  const float *weights, *bias;                       // [rows, kernel_w, channels] of those rows, [channels]
  std::int64_t kernel_w, stride, padding, dilation;  // along the row
  float zero, step;                                  // of codes
  float low, high;                                   // between which the result is clamped: an activation
  std::int64_t columns;
  Y* out;                   // [columns, channels]; or
  std::uint8_t* out_codes;  // this,
  RowCode of_out;           // on this scale
};

template <class X, class Y>
using DepthwiseKernel = void (*)(const DepthwiseRow<X, Y>&);

struct DepthwiseKernels {
  DepthwiseKernel<float, float> floats;
  DepthwiseKernel<Bf16Bits, Bf16Bits> halves;
  DepthwiseKernel<std::uint8_t, float> codes_to_floats;
  DepthwiseKernel<std::uint8_t, Bf16Bits> codes_to_halves;

  auto of(const float*, const float*) const { return floats; }
  auto of(const Bf16Bits*, const Bf16Bits*) const { return halves; }
  auto of(const std::uint8_t*, const float*) const { return codes_to_floats; }
  auto of(const std::uint8_t*, const Bf16Bits*) const { return codes_to_halves; }
};

namespace portable {
extern const DepthwiseKernels depthwise_kernels;
}  // namespace portable

namespace avx2 {
extern const DepthwiseKernels depthwise_kernels;
}  // namespace avx2

namespace avx512 {
extern const DepthwiseKernels depthwise_kernels;
}  // namespace avx512

namespace avx512_bf16 {
extern const DepthwiseKernels depthwise_kernels;
}  // namespace avx512_bf16

}  // namespace nunchi::ops
