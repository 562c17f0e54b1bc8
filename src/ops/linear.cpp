#include "ops/linear.h"

#include <ATen/ops/addcmul.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include "ops/count.h"
#include "ops/linear_int8.h"
#include "ops/linear_training.h"
#include "ops/op_scope.h"
#include "ops/policy.h"
#include "ops/product.h"
#include "ops/relevance.h"
#include "ops/weight_blocks.h"

namespace nunchi::ops {
namespace {

const char* packed_obstacle(const Tensor& x, const LinearWeights& w) {
  if (!c10::InferenceMode::is_enabled()) return "gradients may be asked for (no InferenceMode)";
  if (!x.is_cpu()) return "the input is not on the CPU";
  if (!w.packed) return "the weight is not packed (freeze the model)";
  if (!w.packed->is_int8())
    return x.scalar_type() == w.packed->blocks.scalar_type() ? "" : "input and weight differ in dtype";
  return x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16 ? "" : "the input is neither fp32 nor bf16";
}

}  // namespace

Tensor finish(const Tensor& y, const Epilogue& e) {
  if (e.kept) {
    const Tensor branch = e.scale ? y * *e.scale : y;
    return e.residual ? at::addcmul(*e.residual, branch, *e.kept) : branch * *e.kept;
  }
  if (e.scale) return e.residual ? at::addcmul(*e.residual, y, *e.scale) : y * *e.scale;
  return e.residual ? *e.residual + y : y;
}

namespace {

bool adds_inside(const Epilogue& e) { return e.residual && !e.scale && !e.kept && e.activation == Activation::none; }

Tensor linear_reference(const Tensor& x, const LinearWeights& w, const Epilogue& e) {
  Tensor y = at::linear(x, w.weight, w.bias);
  if (const auto* rules = relevance_rules())
    y = shared_out(y, w.bias, rules->linear_gamma, [&] { return at::linear(x.abs(), w.weight.abs()); });
  return finish(activate(y, e.activation), e);
}

// In training, and before a model is frozen.
Tensor linear_plain(const Tensor& x, const LinearWeights& w, const Epilogue& e) {
  const bool add_inside = adds_inside(e) && e.residual->scalar_type() == at::kFloat &&
                          e.residual->numel() == x.numel() / x.size(-1) * w.weight.size(0);
  const Tensor y = linear_training(x, w.weight, w.bias, add_inside ? *e.residual : Tensor());
  return add_inside ? y : finish(activate(y, e.activation), e);
}

// A frozen model has packed weights or goes the reference's way; the reason is that of the path that was to be taken.
const char* fused_obstacle(const Tensor& x, const LinearWeights& w, const char* packed) {
  if (packed[0] == '\0' || w.packed || !w.weight.defined()) return packed;
  const char* plain = linear_training_obstacle(x, w.weight);
  return plain[0] != '\0' && c10::InferenceMode::is_enabled() ? packed : plain;
}

// What the weights are read from.
const Tensor& weight_of(const LinearWeights& w) {
  ASSERT(w.packed || w.weight.defined(), "a linear op has weights");
  return w.packed ? w.packed->plain : w.weight;
}

std::array<std::int64_t, 2> shape_of(const LinearWeights& w) { return {weight_of(w).size(0), weight_of(w).size(1)}; }

Tensor linear_packed(const Tensor& x, const PackedWeight& w, const Epilogue& e) {
  auto shape = x.sizes().vec();
  shape.back() = w.out;
  Tensor y = at::empty(shape, x.options());
  if (y.numel() == 0) return y;
  const auto in = w.is_int8() ? w.in : w.depth();
  const bool activates = tile_applies(e.activation), all_inside = activates && !e.kept;
  const bool scales = all_inside && e.scale, adds = all_inside && e.residual;
  const Tensor layer_scale = scales ? in_whole_tiles(*e.scale, w.out) : Tensor();
  const Tensor dense = in == w.in ? x.contiguous() : at::constant_pad_nd(x, {0, in - w.in});
  const Tensor residual = adds ? e.residual->to(x.scalar_type()).expand(shape).contiguous() : y;
  with_elements_of(x.scalar_type(), [&]<class T>(T*) {
    multiply<T>({elements<T>(dense), y.numel() / w.out, in}, w,
                {.target = {.out = elements<T>(y), .residual = adds ? elements<T>(residual) : nullptr, .stride = w.out},
                 .layer_scale = scales ? layer_scale.const_data_ptr<float>() : nullptr,
                 .activation = activates ? e.activation : Activation::none});
  });
  return all_inside ? y : finish(activates ? y : activate(y, e.activation), e);
}

}  // namespace

Tensor linear(const Tensor& x, const LinearWeights& w, const Epilogue& e) {
  const auto [out, in] = shape_of(w);
  if (x.size(-1) != in) {
    throw Error(ErrorKind::internal,
                fmt::format("linear: expected input [..., {}], found {}", in, to_string(x.sizes())));
  }
  const OpScope scope("linear", {&x, &weight_of(w), &w.bias, given(e.scale), given(e.residual)});
  count_macs(x.numel() * out);
  const char* packed = packed_obstacle(x, w);
  if (use_fused("linear", fused_obstacle(x, w, packed)))
    return scope.result(packed[0] == '\0' ? linear_packed(x, *w.packed, e) : linear_plain(x, w, e));
  if (w.packed && w.packed->is_int8()) return scope.result(linear_int8_reference(x, *w.packed, e));
  if (w.weight.defined()) return scope.result(linear_reference(x, w, e));
  return scope.result(linear_reference(x, {.weight = unpack_linear(*w.packed), .bias = w.bias}, e));
}

std::optional<PackedWeight> pack_linear(const Tensor& weight, const Tensor& bias) {
  const auto dtype = weight.scalar_type();
  if (!weight.is_cpu() || (dtype != at::kFloat && dtype != at::kBFloat16)) return {};
  return PackedWeight{.blocks = in_blocks(weight),
                      .bias = in_whole_tiles(bias, weight.size(0)),
                      .plain = at::empty(weight.sizes(), weight.options().device(at::kMeta)),
                      .in = weight.size(1),
                      .out = weight.size(0)};
}

Tensor unpack_linear(const PackedWeight& packed) {
  return packed.is_int8() ? dequantise_weight(packed) : from_blocks(packed.blocks, {packed.out, packed.in});
}

}  // namespace nunchi::ops
