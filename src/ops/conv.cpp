#include "ops/conv.h"

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>

#include "ops/conv_extent.h"
#include "ops/conv_int8.h"
#include "ops/count.h"
#include "ops/depthwise.h"
#include "ops/onednn.h"
#include "ops/op_scope.h"
#include "ops/policy.h"
#include "ops/product.h"
#include "ops/relevance.h"

namespace nunchi::ops {
namespace {

// LibTorch has no meta kernel for convolutions in C++.
Tensor conv2d_shape(const Tensor& x, const Tensor& weight, const ConvOptions& o) {
  const auto [rows, columns] = conv_extent(x, weight, o).size;
  return at::empty({x.size(0), weight.size(0), rows, columns}, x.options());
}

Tensor patch_embed_reference(const Tensor& image, const PatchWeights& w) {
  return conv2d(image, {w.weight, w.bias}, {.stride = w.patch}).flatten(2).transpose(1, 2);
}

// A convolution whose stride is its kernel is one matrix product over the patches.
Tensor patch_embed_fused(const Tensor& image, const PatchWeights& w) {
  return linear(patchify(image, w.patch), {.bias = w.bias, .packed = w.packed});
}

const char* fused_obstacle(const PatchWeights& w) {
  if (!c10::InferenceMode::is_enabled()) return "gradients may be asked for (no InferenceMode)";
  if (!w.packed) return "the weight is not packed (freeze the model)";
  return "";
}

const Tensor& weight_of(const ConvWeights& w) {
  if (w.matrix) return w.matrix->kernel;
  if (w.depthwise) return w.depthwise->kernel;
  ASSERT(w.weight.defined() || w.grouped, "a convolution has weights");
  return w.grouped ? w.grouped->kernel() : w.weight;
}

// Where a convolution of LibTorch's begins: it pads by itself where both sides get the same, and so there is no copy.
std::pair<Tensor, ConvOptions> padded(const Tensor& x, const Tensor& weight, ConvOptions o) {
  if (!o.same) return {x, o};
  const auto [before, after, size] = conv_extent(x, weight, o);
  o.same = false;
  o.padding = before == after ? before : std::array<std::int64_t, 2>{0, 0};
  return {before == after ? x : at::constant_pad_nd(x, {before[1], after[1], before[0], after[0]}), o};
}

// Of our own kernels, and of oneDNN's.
const char* fused_obstacle(const Tensor& x, const ConvWeights& w) {
  if (!c10::InferenceMode::is_enabled()) return "gradients may be asked for (no InferenceMode)";
  if (!x.is_cpu()) return "the input is not on the CPU";
  if (!w.is_packed()) return "the weight is not packed (freeze the model)";
  if (x.numel() == 0) return "there is no picture";
  if (!w.takes_codes()) return weight_of(w).scalar_type() == x.scalar_type() ? "" : "input and weight differ in dtype";
  const bool known = x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16 || scale_of(x);
  return known ? "" : "the input is neither fp32 nor bf16";
}

Tensor conv2d_reference(const Tensor& given, const Tensor& weight, const Tensor& bias, const ConvOptions& options,
                        const ConvEpilogue& e) {
  const auto [x, o] = padded(given, weight, options);
  const auto convolution = [&o = o](const Tensor& a, const Tensor& b, const Tensor& c) {
    return at::conv2d(a, b, c, o.stride, o.padding, o.dilation, o.groups);
  };
  Tensor y = convolution(x, weight, bias);
  if (const auto* rules = relevance_rules())
    y = shared_out(y, bias.defined() ? bias.view({-1, 1, 1}) : bias, rules->conv_gamma,
                   [&, &x = x] { return convolution(x.abs(), weight.abs(), {}); });
  return activate(e.residual ? y + *e.residual : y, e.activation);
}

Tensor depthwise_reference(const Tensor& x, const ConvWeights& w, const ConvOptions& o, const ConvEpilogue& e) {
  const Tensor weight = unpack_depthwise(*w.depthwise);
  if (!scale_of(x) && !e.codes) return conv2d_reference(x, weight, w.bias, o, e);
  ConvEpilogue of_numbers{.activation = e.activation};
  if (e.residual) of_numbers.residual = exactly(*e.residual);
  const Tensor y = conv2d_reference(exactly(x), weight.to(at::kFloat), w.depthwise->bias, o, of_numbers);
  return e.codes ? in_codes(y, *e.codes) : y.to(numbers_dtype(x));
}

Tensor conv2d_grouped(const Tensor& given, const ConvWeights& w, const ConvOptions& options, const ConvEpilogue& e) {
  const auto [x, o] = padded(given, w.grouped->kernel(), options);
  using at::IntArrayRef;
  using Unary = Tensor(const Tensor&, const Tensor&, const std::optional<Tensor>&, IntArrayRef, IntArrayRef,
                       IntArrayRef, std::int64_t, c10::string_view, OnednnScalars, std::optional<c10::string_view>);
  using Binary = Tensor(const Tensor&, const Tensor&, const Tensor&, const std::optional<Tensor>&, IntArrayRef,
                        IntArrayRef, IntArrayRef, std::int64_t, c10::string_view, std::optional<at::Scalar>,
                        std::optional<c10::string_view>, OnednnScalars, std::optional<c10::string_view>);
  static const auto with_activation = onednn<Unary>("mkldnn::_convolution_pointwise");
  static const auto with_residual = onednn<Binary>("mkldnn::_convolution_pointwise", "binary");
  const auto bias = w.bias.defined() ? std::optional(w.bias) : std::nullopt;
  const Tensor dense = x.contiguous(at::MemoryFormat::ChannelsLast);
  const Tensor packed = w.grouped->for_input(x.sizes(), o);
  if (e.residual) {
    const bool relu = e.activation == Activation::relu;  // the only one that can follow a sum inside
    const Tensor y = with_residual.call(dense, e.residual->contiguous(at::MemoryFormat::ChannelsLast), packed, bias,
                                        o.padding, o.stride, o.dilation, o.groups, "add", std::nullopt,
                                        relu ? std::optional<c10::string_view>("relu") : std::nullopt, OnednnScalars(),
                                        std::nullopt);
    return relu ? y : activate(y, e.activation);
  }
  const auto inside = onednn_activation(e.activation);
  const auto applied = inside.value_or(OnednnActivation{"none"});
  const Tensor y = with_activation.call(dense, packed, bias, o.padding, o.stride, o.dilation, o.groups, applied.name,
                                        applied.scalars, applied.algorithm);
  return inside ? y : activate(y, e.activation);
}

Tensor plain_weight(const ConvWeights& w) {
  if (w.weight.defined()) return w.weight;
  return w.matrix ? unpack_matrix(*w.matrix) : w.grouped->plain();
}

// macs: of one number of the result.
Tensor convolve(const Tensor& x, const ConvWeights& w, const ConvOptions& o, const ConvEpilogue& e, std::int64_t macs) {
  const Tensor& weight = weight_of(w);
  const OpScope scope("conv2d", {&x, &weight, &w.bias, given(e.residual)});
  const auto run = [&] {
    if (x.is_meta()) return conv2d_shape(x, weight, o);
    const bool fused = use_fused("conv2d", fused_obstacle(x, w));
    if (w.depthwise) return fused ? depthwise(x, *w.depthwise, o, e) : depthwise_reference(x, w, o, e);
    if (w.matrix && fused) return conv_product(x, *w.matrix, o, e);
    if (w.grouped && fused) return conv2d_grouped(x, w, o, e);
    if (w.matrix && w.takes_codes()) return conv_int8_reference(x, *w.matrix, o, e);
    return conv2d_reference(x, plain_weight(w), w.bias, o, e);
  };
  const Tensor y = run();
  count_macs(y.numel() * macs);
  return scope.result(y);
}

}  // namespace

Tensor conv2d(const Tensor& x, const ConvWeights& w, const ConvOptions& o, const ConvEpilogue& e) {
  const Tensor& weight = weight_of(w);
  const auto macs = weight.numel() / weight.size(0);
  if (w.takes_codes() || !(scale_of(x) || (e.residual && scale_of(*e.residual)))) return convolve(x, w, o, e, macs);
  ConvEpilogue of_numbers = e;
  if (e.residual) of_numbers.residual = in_numbers(*e.residual);
  return convolve(in_numbers(x), w, o, of_numbers, macs);
}

bool ConvWeights::takes_codes() const { return depthwise || (matrix && matrix->weight.is_int8()); }

void pack_conv(ConvWeights& w, const ConvOptions& o) {
  if (w.weight.is_cpu() && is_depthwise(w.weight, o.groups))
    w.depthwise = std::make_shared<const DepthwiseWeights>(pack_depthwise(w.weight, w.bias));
  else if (o.groups > 1 && onednn_has(w.weight))
    w.grouped = std::make_shared<const PackedConv>(w.weight);
  else if (auto matrix = o.groups == 1 ? pack_matrix(w.weight, w.bias, o) : std::nullopt)
    w.matrix = std::make_shared<const ConvMatrix>(std::move(*matrix));
  if (w.is_packed()) w.weight = Tensor();
}

PackedConv::PackedConv(const Tensor& weight)
    : kernel_(at::empty(weight.sizes(), weight.options().device(at::kMeta))), weight_(weight.contiguous()) {}

Tensor PackedConv::for_input(at::IntArrayRef sizes, const ConvOptions& o) const {
  using at::IntArrayRef;
  using Pack = Tensor(const Tensor&, IntArrayRef, IntArrayRef, IntArrayRef, std::int64_t, at::OptionalIntArrayRef);
  static const auto pack = onednn<Pack>("mkldnn::_reorder_convolution_weight");
  const std::lock_guard lock(mutex_);
  if (sizes_ == sizes) return weight_;
  weight_ = pack.call(unpacked(), o.padding, o.stride, o.dilation, o.groups, sizes);
  sizes_ = sizes.vec();
  return weight_;
}

Tensor PackedConv::plain() const {
  const std::lock_guard lock(mutex_);
  return unpacked();
}

Tensor PackedConv::unpacked() const { return sizes_.empty() ? weight_ : weight_.to_dense(weight_.scalar_type()); }

Tensor pad_same(const Tensor& x, const SamePadding& p, double value) {
  const auto down = same_padding(x.size(2), p), across = same_padding(x.size(3), p);
  return at::constant_pad_nd(x, {across.before, across.after, down.before, down.after}, value);
}

Tensor patch_embed(const Tensor& image, const PatchWeights& w) {
  if (use_fused("patch_embed", fused_obstacle(w))) return patch_embed_fused(image, w);
  if (w.weight.defined()) return patch_embed_reference(image, w);
  const auto plain = unpack_linear(*w.packed).view({-1, image.size(1), w.patch[0], w.patch[1]});
  return patch_embed_reference(image, {.weight = plain, .bias = w.bias, .patch = w.patch});
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
