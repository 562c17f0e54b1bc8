#include "ops/conv.h"

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>

#include "ops/count.h"
#include "ops/op_scope.h"
#include "ops/policy.h"

namespace nunchi::ops {
namespace {

// LibTorch has no meta kernel for convolutions in C++.
Tensor conv2d_shape(const Tensor& x, const ConvWeights& w, const ConvOptions& o) {
  const auto size = [&](int axis) {
    const auto kernel = o.dilation[axis] * (w.weight.size(axis + 2) - 1) + 1;
    return (x.size(axis + 2) + 2 * o.padding[axis] - kernel) / o.stride[axis] + 1;
  };
  return at::empty({x.size(0), w.weight.size(0), size(0), size(1)}, x.options());
}

Tensor patch_embed_reference(const Tensor& image, const PatchWeights& w) {
  return conv2d(image, {w.weight, w.bias}, {.stride = w.patch}).flatten(2).transpose(1, 2);
}

// A convolution whose stride is its kernel is one matrix product over the patches.
Tensor patch_embed_fused(const Tensor& image, const PatchWeights& w) {
  return linear(patchify(image, w.patch), {.weight = {}, .bias = w.bias, .packed = w.packed});
}

const char* fused_obstacle(const PatchWeights& w) {
  if (!c10::InferenceMode::is_enabled()) return "gradients may be asked for (no InferenceMode)";
  if (!w.packed.defined()) return "the weight is not packed (freeze the model)";
  return "";
}

}  // namespace

Tensor conv2d(const Tensor& x, const ConvWeights& w, const ConvOptions& o) {
  const OpScope scope("conv2d", {&x, &w.weight, &w.bias});
  const Tensor y =
      x.is_meta() ? conv2d_shape(x, w, o) : at::conv2d(x, w.weight, w.bias, o.stride, o.padding, o.dilation, o.groups);
  count_macs(y.numel() * w.weight.numel() / w.weight.size(0));
  return scope.result(y);
}

Tensor pad_same(const Tensor& x, const SamePadding& p, double value) {
  const auto total = [&](int axis) {
    const auto left_over = x.size(axis) % p.stride;
    return std::max<std::int64_t>(p.kernel - (left_over == 0 ? p.stride : left_over), 0);
  };
  const auto down = total(2), across = total(3);
  const auto above = down / 2, left = across / 2;
  return at::constant_pad_nd(
      x, {left * p.dilation, (across - left) * p.dilation, above * p.dilation, (down - above) * p.dilation}, value);
}

Tensor patch_embed(const Tensor& image, const PatchWeights& w) {
  if (use_fused("patch_embed", fused_obstacle(w))) return patch_embed_fused(image, w);
  if (w.weight.defined()) return patch_embed_reference(image, w);
  const auto plain = unpack_linear(w.packed).view({-1, image.size(1), w.patch[0], w.patch[1]});
  return patch_embed_reference(image, {.weight = plain, .bias = w.bias, .packed = {}, .patch = w.patch});
}

Tensor patchify(const Tensor& image, std::array<std::int64_t, 2> patch) {
  const OpScope scope("patchify", {&image});
  const auto b = image.size(0), c = image.size(1), rows = image.size(2) / patch[0], columns = image.size(3) / patch[1];
  const Tensor patches = image.slice(2, 0, rows * patch[0])
                             .slice(3, 0, columns * patch[1])
                             .reshape({b, c, rows, patch[0], columns, patch[1]})
                             .permute({0, 2, 4, 1, 3, 5});  // [b, rows, columns, c, patch_h, patch_w]
  return scope.result(patches.reshape({b, rows * columns, c * patch[0] * patch[1]}));
}

}  // namespace nunchi::ops
