#include "nn/attention_pool.h"

#include "ops/attention.h"

namespace nunchi::nn {

AttentionPool::AttentionPool(const AttentionPoolConfig& config)
    : q(config.dim, config.dim),
      kv(config.dim, 2 * config.dim),
      proj(config.dim, config.dim),
      norm(config.dim, config.eps, config.norm_kind),
      mlp({.dim = config.dim, .hidden = config.mlp_dim, .activation = config.activation}),
      heads_(config.heads) {
  parameter("latent", latent, {1, 1, config.dim});
  child("q", q);
  child("kv", kv);
  child("proj", proj);
  child("norm", norm);
  child("mlp", mlp);
}

Tensor AttentionPool::forward(const Tensor& tokens) const {
  const auto b = tokens.size(0), n = tokens.size(1);
  const Tensor query = q.forward(latent.expand({b, -1, -1})).view({b, 1, heads_, -1});
  const auto keys_and_values = kv.forward(tokens).view({b, n, 2, heads_, -1}).unbind(2);  // [b, n, heads, head_dim]
  const Tensor attended = ops::attention(query, keys_and_values[0], keys_and_values[1]).output;
  const Tensor x = proj.forward(attended.reshape({b, 1, -1}));
  return seen(mlp.forward(norm.forward(x), {.residual = x}).select(1, 0));
}

}  // namespace nunchi::nn
