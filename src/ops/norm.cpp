#include "ops/norm.h"

#include <ATen/Parallel.h>
#include <ATen/ops/addcmul.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/rms_norm.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/var_mean.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "core/isa.h"
#include "ops/norm_kernels.h"
#include "ops/op_scope.h"
#include "ops/policy.h"
#include "ops/product.h"
#include "ops/relevance.h"

namespace nunchi::ops {
namespace {

Tensor layer_norm_reference(const Tensor& x, const LayerNormWeights& w) {
  const auto wide = x.scalar_type() == at::kBFloat16 ? x.to(at::kFloat) : x;
  const auto [variance, mean] = at::var_mean(wide, {-1}, /*unbiased=*/false, /*keepdim=*/true);
  const Tensor unit = (wide - mean) * held(at::rsqrt(variance + w.eps));
  return (w.weight.defined() ? unit * w.weight + w.bias : unit).to(x.scalar_type());
}

constexpr double response_eps = 1e-6;

Tensor global_response_norm_reference(const Tensor& x, const ResponseNormWeights& w) {
  const Tensor length = (x * x).sum({1, 2}, /*keepdim=*/true).sqrt();  // [b, 1, 1, c]
  const Tensor response = held(length / (length.mean(-1, /*keepdim=*/true) + response_eps));
  return x + w.weight * (x * response) + w.bias;
}

// One pass over the map after the lengths, which are summed in fp32.
Tensor global_response_norm_fused(const Tensor& x, const ResponseNormWeights& w) {
  const Tensor length = at::linalg_vector_norm(x, 2, at::IntArrayRef{1, 2}, /*keepdim=*/true, at::kFloat);
  const Tensor response = length / (length.mean(-1, /*keepdim=*/true) + response_eps);
  return at::addcmul(w.bias, x, (1 + w.weight * response).to(x.scalar_type()));
}

Tensor rms_norm_reference(const Tensor& x, const Tensor& weight, double eps) {
  const auto wide = x.scalar_type() == at::kBFloat16 ? x.to(at::kFloat) : x;
  return (wide * held(at::rsqrt(wide.pow(2).mean(-1, /*keepdim=*/true) + eps)) * weight).to(x.scalar_type());
}

Tensor batch_norm_reference(const Tensor& x, const BatchNormWeights& w) {
  const auto per_channel = [](const Tensor& t) { return t.view({1, -1, 1, 1}); };
  const auto scale = w.weight * at::rsqrt(w.running_var + w.eps);
  return (x - per_channel(w.running_mean)) * per_channel(scale) + per_channel(w.bias);
}

Tensor group_norm_reference(const Tensor& x, const GroupNormWeights& w) {
  const auto wide = x.scalar_type() == at::kBFloat16 ? x.to(at::kFloat) : x;
  const Tensor groups = wide.reshape({x.size(0), w.groups, -1});
  const auto [variance, mean] = at::var_mean(groups, {-1}, /*unbiased=*/false, /*keepdim=*/true);
  const Tensor unit = ((groups - mean) * held(at::rsqrt(variance + w.eps))).view(x.sizes());
  return (unit * w.weight.view({1, -1, 1, 1}) + w.bias.view({1, -1, 1, 1})).to(x.scalar_type());
}

// Whether the rows are normalised by our own kernels, not LibTorch's.
bool has_rows(const Tensor& x, const LayerNormWeights& w) {
  const auto dtype = x.scalar_type();
  const bool of_one_dtype = !w.weight.defined() || (w.weight.scalar_type() == dtype && w.bias.scalar_type() == dtype);
  return c10::InferenceMode::is_enabled() && x.is_cpu() && (dtype == at::kFloat || dtype == at::kBFloat16) &&
         of_one_dtype && x.numel() > 0;
}

Tensor layer_norm_rows(const Tensor& given, const LayerNormWeights& w) {
  const Tensor x = given.contiguous(), y = at::empty(x.sizes(), x.options());
  const auto columns = x.size(-1);
  const auto parameters = [](const Tensor& t) { return t.defined() ? t.contiguous() : t; };
  const Tensor weight = parameters(w.weight), bias = parameters(w.bias);
  with_elements_of(x.scalar_type(), [&]<class T>(T*) {
    const LayerNormRows<T> all{.x = elements<T>(x),
                               .rows = x.numel() / columns,
                               .columns = columns,
                               .weight = weight.defined() ? elements<T>(weight) : nullptr,
                               .bias = weight.defined() ? elements<T>(bias) : nullptr,
                               .eps = static_cast<float>(w.eps),
                               .y = elements<T>(y)};
    const auto grain = std::max<std::int64_t>(4096 / columns, 1);
    at::parallel_for(0, all.rows, grain, [&](std::int64_t begin, std::int64_t end) {
      auto rows = all;
      rows.x += begin * columns;
      rows.y += begin * columns;
      rows.rows = end - begin;
      NUNCHI_OF_CHOSEN_ISA_OR_BF16(norm_kernels).layer_norm(rows);
    });
  });
  return y;
}

}  // namespace

Tensor layer_norm(const Tensor& x, const LayerNormWeights& w) {
  const OpScope scope("layer_norm", {&x, &w.weight, &w.bias});
  // LibTorch has neither layer_norm nor var_mean on shapes alone.
  if (x.is_meta()) return scope.result(at::empty_like(x));
  if (!use_fused("layer_norm", "")) return scope.result(layer_norm_reference(x, w));
  if (has_rows(x, w)) return scope.result(layer_norm_rows(x, w));
  return scope.result(at::layer_norm(x, {x.size(-1)}, w.weight, w.bias, w.eps));
}

Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps) {
  const OpScope scope("rms_norm", {&x, &weight});
  if (x.is_meta()) return scope.result(at::empty_like(x));
  if (!use_fused("rms_norm", "")) return scope.result(rms_norm_reference(x, weight, eps));
  return scope.result(at::rms_norm(x, {x.size(-1)}, weight, eps));
}

Tensor layer_norm_2d(const Tensor& x, const LayerNormWeights& w) {
  return layer_norm(x.permute({0, 2, 3, 1}).contiguous(), w).permute({0, 3, 1, 2});
}

Tensor global_response_norm(const Tensor& x, const ResponseNormWeights& w) {
  const OpScope scope("global_response_norm", {&x, &w.weight, &w.bias});
  const bool fused = use_fused("global_response_norm", x.scalar_type() == at::kDouble ? "the lengths are fp32" : "");
  return scope.result(fused ? global_response_norm_fused(x, w) : global_response_norm_reference(x, w));
}

Tensor batch_norm(const Tensor& x, const BatchNormWeights& w, bool training, double momentum) {
  const OpScope scope("batch_norm", {&x, &w.weight, &w.bias, &w.running_mean, &w.running_var});
  if (!training && !use_fused("batch_norm", "")) return scope.result(batch_norm_reference(x, w));
  return scope.result(
      at::batch_norm(x, w.weight, w.bias, w.running_mean, w.running_var, training, momentum, w.eps, true));
}

Tensor group_norm(const Tensor& x, const GroupNormWeights& w) {
  if (x.is_meta()) return at::empty_like(x);
  const OpScope scope("group_norm", {&x, &w.weight, &w.bias});
  if (!use_fused("group_norm", "")) return scope.result(group_norm_reference(x, w));
  return scope.result(at::group_norm(x, w.groups, w.weight, w.bias, w.eps));
}

}  // namespace nunchi::ops
