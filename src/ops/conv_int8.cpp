#include "ops/conv_int8.h"

#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/where.h>

#include "ops/conv_extent.h"
#include "ops/linear_int8.h"
#include "ops/product.h"

namespace nunchi::ops {
namespace {

// What is left of x [b, c, h, w] in fp32 where each pixel, or each picture, has 256 steps.
Tensor rounded(const Tensor& x, bool by_pixel) {
  const auto over = by_pixel ? Shape{1} : Shape{1, 2, 3};
  Tensor low = x.amin(over, /*keepdim=*/true), high = x.amax(over, /*keepdim=*/true);
  if (!by_pixel) low = low.clamp_max(0), high = high.clamp_min(0);
  const Tensor range = high - low, step = at::where(range > 1e-30, range / 255, 1.0);
  if (!by_pixel) low = (low / step).round() * step;
  return low + step * ((x - low) * step.reciprocal()).round().clamp(0, 255);
}

}  // namespace

ConvMatrix quantise_conv(const Tensor& weight, const Tensor& bias, const ConvOptions& o) {
  return {.weight = quantise_weight(kernel_rows(weight, Operand<std::uint8_t>::together, o), bias),
          .kernel = at::empty(weight.sizes(), at::TensorOptions(at::kChar).device(at::kMeta)),
          .dilated = o.dilation[1] > 1};
}

Tensor conv_int8_reference(const Tensor& given, const ConvMatrix& w, const ConvOptions& o, const ConvEpilogue& e) {
  const Tensor seen = scale_of(given) ? exactly(given) : rounded(exactly(given), is_pixelwise(w.kernel, o));
  const auto [before, after, size] = conv_extent(given, w.kernel, o);
  const Tensor padded = at::constant_pad_nd(seen, {before[1], after[1], before[0], after[0]});
  const Tensor bias = w.weight.bias.slice(0, 0, w.weight.out);
  const Tensor linear = at::conv2d(padded, unpack_matrix(w), bias, o.stride, at::IntArrayRef{0, 0}, o.dilation);
  const Tensor y = activate(e.residual ? linear + exactly(*e.residual) : linear, e.activation);
  return e.codes ? in_codes(y, *e.codes) : y.to(numbers_dtype(given));
}

}  // namespace nunchi::ops
