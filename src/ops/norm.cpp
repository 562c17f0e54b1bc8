#include "ops/norm.h"

#include <ATen/ops/batch_norm.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/rms_norm.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/var_mean.h>

#include "ops/policy.h"

namespace nunchi::ops {
namespace {

Tensor layer_norm_reference(const Tensor& x, const LayerNormWeights& w) {
  const auto wide = x.scalar_type() == at::kBFloat16 ? x.to(at::kFloat) : x;
  const auto [variance, mean] = at::var_mean(wide, {-1}, /*unbiased=*/false, /*keepdim=*/true);
  return ((wide - mean) * at::rsqrt(variance + w.eps) * w.weight + w.bias).to(x.scalar_type());
}

Tensor rms_norm_reference(const Tensor& x, const Tensor& weight, double eps) {
  const auto wide = x.scalar_type() == at::kBFloat16 ? x.to(at::kFloat) : x;
  return (wide * at::rsqrt(wide.pow(2).mean(-1, /*keepdim=*/true) + eps) * weight).to(x.scalar_type());
}

Tensor batch_norm_reference(const Tensor& x, const BatchNormWeights& w) {
  const auto per_channel = [](const Tensor& t) { return t.view({1, -1, 1, 1}); };
  const auto scale = w.weight * at::rsqrt(w.running_var + w.eps);
  return (x - per_channel(w.running_mean)) * per_channel(scale) + per_channel(w.bias);
}

}  // namespace

Tensor layer_norm(const Tensor& x, const LayerNormWeights& w) {
  if (x.is_meta()) return at::empty_like(x);  // LibTorch has neither layer_norm nor var_mean on shapes alone
  if (!use_fused("layer_norm", "")) return layer_norm_reference(x, w);
  return at::layer_norm(x, {x.size(-1)}, w.weight, w.bias, w.eps);
}

Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps) {
  if (x.is_meta()) return at::empty_like(x);
  if (!use_fused("rms_norm", "")) return rms_norm_reference(x, weight, eps);
  return at::rms_norm(x, {x.size(-1)}, weight, eps);
}

Tensor batch_norm(const Tensor& x, const BatchNormWeights& w, bool training, double momentum) {
  if (!training && !use_fused("batch_norm", "")) return batch_norm_reference(x, w);
  return at::batch_norm(x, w.weight, w.bias, w.running_mean, w.running_var, training, momentum, w.eps, true);
}

}  // namespace nunchi::ops
