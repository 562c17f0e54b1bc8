// nn/attention.h: multi-head self-attention (Vaswani et al. 2017, section 3.2.2) in the two forms checkpoints have.
//
//   nn::Attention attention({.dim = 768, .heads = 12});
//   Tensor y = attention.forward(x, {.residual = x});   // [b, n, 768]
#pragma once

#include "nn/linear.h"
#include "nn/norm.h"
#include "ops/attention.h"
#include "ops/rotary.h"

namespace nunchi::nn {

struct AttentionConfig {
  std::int64_t dim = 768, heads = 12;
  std::optional<std::int64_t> head_dim;  // dim / heads where absent
  bool qkv_bias = true, projection_bias = true;
  bool key_bias = true;                // without it (BEiT), keys `q_bias` and `v_bias` take the place of `qkv.bias`
  bool norm_queries_and_keys = false;  // per head (Dehghani et al. 2023), keys `q_norm` and `k_norm`
  bool norm_output = false;            // before the projection (EVA-02's sub-LN), key `norm`
  NormKind norm_kind = NormKind::layer;
  double eps = 1e-6;  // of these norms
  double attention_dropout = 0, projection_dropout = 0;

  std::int64_t inner_dim() const;  // heads * head_dim; throws Error (model) where heads does not divide dim
};

// Query, key and value from one projection; keys `qkv` and `proj` (timm).
class Attention : public Module {
 public:
  explicit Attention(const AttentionConfig& config);

  struct Options {
    std::optional<Tensor> bias = {};              // added to the scores: broadcasts to [b, heads, n, n]
    const ops::RotaryTable* positions = nullptr;  // turns queries and keys
    Tensor* weights = nullptr;                    // where given, receives [b, heads, n, n]
  };

  // x [b, n, dim] -> [b, n, dim].
  Tensor forward(const Tensor& x, const ops::Epilogue& epilogue, const Options& options) const;
  Tensor forward(const Tensor& x, const ops::Epilogue& epilogue = {}, Tensor* weights = nullptr) const {
    return forward(x, epilogue, Options{.weights = weights});
  }

  void freeze(const FreezeOptions& options) override;
  void thaw() override;
  void initialise(const at::Generator& generator) override;

  Linear qkv, proj;
  std::optional<LayerNorm> q_norm, k_norm, norm;

 private:
  Tensor project(const Tensor& x) const;  // [b, n, dim] -> [b, n, 3 * inner_dim]
  Tensor joined_bias() const;             // [3 * inner_dim], zero for the keys

  Tensor q_bias_, v_bias_;
  std::int64_t heads_;
  double dropout_;
};

// Separate projections for query, key and value, which may come from different sequences (cross-attention);
// keys `q`, `k`, `v`, `proj`.
class MultiHeadAttention : public Module {
 public:
  explicit MultiHeadAttention(const AttentionConfig& config);

  // query [b, n_q, dim], key and value [b, n_k, dim], mask as in ops::AttentionOptions -> output [b, n_q, dim],
  // weights [b, heads, n_q, n_k].
  ops::AttentionResult forward(const Tensor& query, const Tensor& key, const Tensor& value,
                               const std::optional<Tensor>& mask = {}) const;

  Linear q, k, v, proj;

 private:
  std::int64_t heads_;
  double dropout_;
};

}  // namespace nunchi::nn
