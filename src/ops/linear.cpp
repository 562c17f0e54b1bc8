#include "ops/linear.h"

#include <ATen/ops/addcmul.h>
#include <ATen/ops/linear.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include "ops/count.h"
#include "ops/linear_int8.h"
#include "ops/linear_training.h"
#include "ops/onednn.h"
#include "ops/op_scope.h"
#include "ops/policy.h"
#include "ops/relevance.h"

namespace nunchi::ops {
namespace {

const char* packed_obstacle(const Tensor& x, const LinearWeights& w) {
  if (!c10::InferenceMode::is_enabled()) return "gradients may be asked for (no InferenceMode)";
  if (!x.is_cpu()) return "the input is not on the CPU";
  if (!w.packed.defined()) return "the weight is not packed (freeze the model)";
  if (w.packed.scalar_type() != x.scalar_type()) return "input and weight differ in dtype";
  return "";
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
  if (packed[0] == '\0' || w.packed.defined() || !w.weight.defined()) return packed;
  const char* plain = linear_training_obstacle(x, w.weight);
  return plain[0] != '\0' && c10::InferenceMode::is_enabled() ? packed : plain;
}

// What the weights are read from.
const Tensor& weight_of(const LinearWeights& w) {
  const Tensor& known = w.int8 ? w.int8->blocks : w.weight.defined() ? w.weight : w.packed;
  ASSERT(known.defined(), "a linear op has weights");
  return known;
}

std::array<std::int64_t, 2> shape_of(const LinearWeights& w) {
  if (w.int8) return {w.int8->out, w.int8->in};
  return {weight_of(w).size(0), weight_of(w).size(1)};
}

}  // namespace

Tensor linear_packed(const Tensor& x, const LinearWeights& w, const Epilogue& e) {
  using Unary = Tensor(const Tensor&, const Tensor&, const std::optional<Tensor>&, c10::string_view,
                       c10::List<std::optional<at::Scalar>>, std::optional<c10::string_view>);
  using Binary = Tensor(const Tensor&, const Tensor&, const Tensor&, const std::optional<Tensor>&, c10::string_view);
  static const auto with_activation = onednn<Unary>("mkldnn::_linear_pointwise");
  static const auto with_residual = onednn<Binary>("mkldnn::_linear_pointwise", "binary");

  const auto bias = w.bias.defined() ? std::optional(w.bias) : std::nullopt;
  if (adds_inside(e)) return with_residual.call(x, e.residual->contiguous(), w.packed, bias, "add");

  const auto inside = onednn_activation(e.activation);
  const auto applied = inside.value_or(OnednnActivation{"none"});
  const Tensor y = with_activation.call(x, w.packed, bias, applied.name, applied.scalars, applied.algorithm);
  return finish(inside ? y : activate(y, e.activation), e);
}

Tensor linear(const Tensor& x, const LinearWeights& w, const Epilogue& e) {
  const auto [out, in] = shape_of(w);
  if (x.size(-1) != in) {
    throw Error(ErrorKind::internal,
                fmt::format("linear: expected input [..., {}], found {}", in, to_string(x.sizes())));
  }
  const OpScope scope("linear", {&x, &weight_of(w), &w.bias, given(e.scale), given(e.residual)});
  count_macs(x.numel() * out);
  if (w.int8) {
    const bool fused = use_fused("linear", linear_int8_obstacle(x));
    return scope.result(fused ? linear_int8(x, *w.int8, w.bias, e) : linear_int8_reference(x, *w.int8, w.bias, e));
  }
  const char* packed = packed_obstacle(x, w);
  if (use_fused("linear", fused_obstacle(x, w, packed)))
    return scope.result(packed[0] == '\0' ? linear_packed(x, w, e) : linear_plain(x, w, e));
  if (w.weight.defined()) return scope.result(linear_reference(x, w, e));
  return scope.result(linear_reference(x, {.weight = unpack_linear(w.packed), .bias = w.bias, .packed = {}}, e));
}

Tensor pack_linear(const Tensor& weight) {
  if (!onednn_has(weight)) return {};
  return onednn<Tensor(const Tensor&, std::optional<std::int64_t>)>("mkldnn::_reorder_linear_weight")
      .call(weight, std::nullopt);
}

Tensor unpack_linear(const Tensor& packed) { return packed.to_dense(packed.scalar_type()); }

}  // namespace nunchi::ops
