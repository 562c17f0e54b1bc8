#include "nn/attention.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/format.h>

namespace nunchi::nn {

std::int64_t AttentionConfig::inner_dim() const {
  if (head_dim) return heads * *head_dim;
  if (heads < 1 || dim % heads != 0) {
    throw Error(ErrorKind::model, fmt::format("attention: {} heads do not divide a width of {}", heads, dim));
  }
  return dim;
}

Attention::Attention(const AttentionConfig& config)
    : qkv(config.dim, 3 * config.inner_dim(), config.qkv_bias && config.key_bias),
      proj(config.inner_dim(), config.dim, config.projection_bias),
      heads_(config.heads),
      dropout_(config.attention_dropout) {
  const auto head_dim = config.inner_dim() / config.heads;
  child("qkv", qkv);
  if (config.qkv_bias && !config.key_bias) {
    parameter("q_bias", q_bias_, {config.inner_dim()});
    parameter("v_bias", v_bias_, {config.inner_dim()});
  }
  if (config.norm_queries_and_keys) {
    child("q_norm", q_norm.emplace(head_dim, config.eps, config.norm_kind));
    child("k_norm", k_norm.emplace(head_dim, config.eps, config.norm_kind));
  }
  if (config.norm_output) child("norm", norm.emplace(config.inner_dim(), config.eps, config.norm_kind));
  child("proj", proj);
  proj.dropout = config.projection_dropout;
}

Tensor Attention::forward(const Tensor& x, const ops::Epilogue& epilogue, const Options& options) const {
  const auto b = x.size(0), n = x.size(1);
  const auto parts = project(x).view({b, n, 3, heads_, -1}).unbind(2);  // q, k, v: [b, n, heads, head_dim]
  Tensor q = q_norm ? q_norm->forward(parts[0]) : parts[0];
  Tensor k = k_norm ? k_norm->forward(parts[1]) : parts[1];
  if (options.positions) {
    q = ops::rotate(q, *options.positions);
    k = ops::rotate(k, *options.positions);
  }
  const auto result = ops::attention(q, k, parts[2],
                                     {.bias = options.bias,
                                      .dropout = is_training() ? dropout_ : 0,
                                      .int8 = qkv.weights.packed && qkv.weights.packed->is_int8(),
                                      .return_weights = options.weights != nullptr});
  if (options.weights) *options.weights = result.weights;
  const Tensor y = result.output.reshape({b, n, -1});
  return seen(proj.forward(norm ? norm->forward(y) : y, epilogue));
}

Tensor Attention::project(const Tensor& x) const {
  const bool joined = !q_bias_.defined() || qkv.weights.bias.defined();
  return joined ? qkv.forward(x) : qkv.forward_with_bias(x, joined_bias());
}

Tensor Attention::joined_bias() const { return at::cat({q_bias_, at::zeros_like(q_bias_), v_bias_}, 0); }

void Attention::freeze(const FreezeOptions& options) {
  Module::freeze(options);
  if (q_bias_.defined()) qkv.keep_bias(joined_bias());
}

void Attention::thaw() {
  if (q_bias_.defined()) qkv.weights.bias = Tensor();
  Module::thaw();
}

void Attention::initialise(const at::Generator& generator) {
  Module::initialise(generator);
  for (Tensor* bias : {&q_bias_, &v_bias_}) {
    if (bias->defined()) *bias = constant(slot_of(*bias).shape, 0);
  }
}

MultiHeadAttention::MultiHeadAttention(const AttentionConfig& config)
    : q(config.dim, config.inner_dim(), config.qkv_bias),
      k(config.dim, config.inner_dim(), config.qkv_bias),
      v(config.dim, config.inner_dim(), config.qkv_bias),
      proj(config.inner_dim(), config.dim),
      heads_(config.heads),
      dropout_(config.attention_dropout) {
  child("q", q);
  child("k", k);
  child("v", v);
  child("proj", proj);
  proj.dropout = config.projection_dropout;
}

ops::AttentionResult MultiHeadAttention::forward(const Tensor& query, const Tensor& key, const Tensor& value,
                                                 const std::optional<Tensor>& mask) const {
  const auto split = [&](const Tensor& t) { return t.view({t.size(0), t.size(1), heads_, -1}); };
  auto result = ops::attention(split(q.forward(query)), split(k.forward(key)), split(v.forward(value)),
                               {.mask = mask, .dropout = is_training() ? dropout_ : 0, .return_weights = true});
  result.output = proj.forward(result.output.reshape({query.size(0), query.size(1), -1}));
  return result;
}

}  // namespace nunchi::nn
