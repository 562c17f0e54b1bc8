#include "ops/attention.h"

#include <ATen/ops/dropout.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "ops/attention_blocks.h"
#include "ops/count.h"
#include "ops/policy.h"

namespace nunchi::ops {
namespace {

// A 3-D mask is one matrix per sample, never one per head: [b, n_q, n_k] -> [b, 1, n_q, n_k].
Tensor broadcastable(const Tensor& mask) {
  if (mask.dim() == 3) return mask.unsqueeze(1);
  if (mask.dim() == 2 || mask.dim() == 4) return mask;
  throw Error(ErrorKind::internal,
              fmt::format("attention mask: expected [n_q, n_k], [b, n_q, n_k] or [b, heads, n_q, n_k], found {}",
                          to_string(mask.sizes())));
}

// Softmax over the keys. A query that may look at no key gets zeros, and zero gradients: softmax itself would give NaN
// for both.
Tensor softmax_of_allowed(const Tensor& scores) {
  const Tensor blind = (scores == -std::numeric_limits<double>::infinity()).all(-1, /*keepdim=*/true);
  return at::softmax(scores.masked_fill(blind, 0), -1).masked_fill(blind, 0);
}

double scale_of(const Tensor& q, const AttentionOptions& options) {
  return options.scale.value_or(1 / std::sqrt(static_cast<double>(q.size(-1))));
}

AttentionResult attention_reference(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const AttentionOptions& options) {
  const auto heads_first = [](const Tensor& t) { return t.transpose(1, 2); };  // [b, heads, n, head_dim]
  Tensor scores = at::matmul(heads_first(q), heads_first(k).transpose(-2, -1)) * scale_of(q, options);
  if (options.bias) scores = scores + *options.bias;
  if (options.mask) {  // -inf, which every floating dtype can store
    scores = scores.masked_fill(broadcastable(*options.mask).logical_not(), -std::numeric_limits<double>::infinity());
  }
  Tensor weights = options.bias || options.mask ? softmax_of_allowed(scores) : at::softmax(scores, -1);
  if (options.dropout > 0) weights = at::dropout(weights, options.dropout, /*train=*/true);
  return {heads_first(at::matmul(weights, heads_first(v))), weights};
}

AttentionResult attention_fused(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options) {
  const bool plain = !options.bias && options.dropout == 0;
  if (plain && attention_blocks_obstacle(q, k, v)[0] == '\0')
    return {attention_blocks(q, k, v, scale_of(q, options)), {}};
  const auto output = at::scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2),
                                                       options.bias, options.dropout,
                                                       /*is_causal=*/false, scale_of(q, options));
  return {output.transpose(1, 2), {}};
}

const char* fused_obstacle(const AttentionOptions& options) {
  if (options.return_weights) return "the weights are asked for";
  if (options.mask) return "a mask may block every key of a query";
  return "";
}

}  // namespace

AttentionResult attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options) {
  ASSERT(q.dim() == 4 && k.dim() == 4 && v.dim() == 4, "attention takes [b, n, heads, head_dim]");
  count_macs(2 * q.numel() * k.size(1));
  if (use_fused("attention", fused_obstacle(options))) return attention_fused(q, k, v, options);
  auto result = attention_reference(q, k, v, options);
  if (!options.return_weights) result.weights = Tensor();
  return result;
}

}  // namespace nunchi::ops
