#include "ops/attention.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/index.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <limits>

#include "ops/attention_blocks.h"
#include "ops/attention_heads.h"
#include "ops/attention_scores.h"
#include "ops/count.h"
#include "ops/op_scope.h"
#include "ops/policy.h"
#include "ops/relevance.h"

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

// How many biases the samples take turns with: the windows of a picture, where they are the windows of a whole batch.
std::int64_t turns(const std::optional<Tensor>& bias) { return bias && bias->dim() == 4 ? bias->size(0) : 1; }

Tensor add_bias(const Tensor& scores, const Tensor& bias, std::int64_t turns) {
  if (turns == 1) return scores + bias;
  return (scores.unflatten(0, {-1, turns}) + bias).flatten(0, 1);
}

double scale_of(const Tensor& q, const AttentionOptions& options) {
  return options.scale.value_or(1 / std::sqrt(static_cast<double>(q.size(-1))));
}

AttentionResult attention_reference(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const AttentionOptions& options) {
  const auto heads_first = [](const Tensor& t) { return t.transpose(1, 2); };  // [b, heads, n, head_dim]
  Tensor scores = at::matmul(heads_first(q), heads_first(k).transpose(-2, -1)) * scale_of(q, options);
  if (options.bias) scores = add_bias(scores, *options.bias, turns(options.bias));
  if (options.mask) {  // -inf, which every floating dtype can store
    scores = scores.masked_fill(broadcastable(*options.mask).logical_not(), -std::numeric_limits<double>::infinity());
  }
  Tensor weights = options.bias || options.mask ? softmax_of_allowed(scores) : at::softmax(scores, -1);
  if (options.dropout > 0) weights = at::dropout(weights, options.dropout, /*train=*/true);
  weights = held(weights).to(v.scalar_type());  // a bias in fp32 takes the scores with it
  return {heads_first(at::matmul(weights, heads_first(v))), weights};
}

// By LibTorch.
AttentionResult attention_by_sdpa(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options) {
  const auto count_of_biases = turns(options.bias);
  const auto of = [&](const Tensor& t, std::int64_t from, std::int64_t count) {
    return t.narrow(0, from, count).transpose(1, 2);  // [count, heads, n, head_dim]
  };
  std::vector<Tensor> outputs;  // one call for each turn: SDPA knows no bias per window
  const auto count = count_of_biases == 1 ? q.size(0) : count_of_biases;
  for (std::int64_t i = 0; i < q.size(0); i += count) {
    outputs.push_back(at::scaled_dot_product_attention(of(q, i, count), of(k, i, count), of(v, i, count), options.bias,
                                                       options.dropout, /*is_causal=*/false, scale_of(q, options))
                          .transpose(1, 2));
  }
  return {outputs.size() == 1 ? outputs[0] : at::cat(outputs, 0), {}};
}

// Rows of axis 1 in another order, and their gradients in the first one again. LibTorch's C++ has no index_select for
// tensors without memory, but it has index, whose own gradient would add row by row what never meets.
struct Reordered : torch::autograd::Function<Reordered> {
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, const Tensor& order,
                        const Tensor& back) {
    context->save_for_backward({order, back});
    return at::index(x, {std::optional<Tensor>(), order});
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    return {Reordered::apply(gradients[0], saved[1], saved[0]), Tensor(), Tensor()};
  }
};

// Each window copied into a sample of its own, and the output back to where its queries lie.
AttentionResult attention_of_copies(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options,
                                    const auto& attention) {
  const auto rows = options.windows->rows.flatten(), places = options.windows->places;
  const auto copied = [&](const Tensor& t) {
    return Reordered::apply(t, rows, places).view({-1, options.windows->rows.size(1), t.size(2), t.size(3)});
  };
  auto of_samples = options;
  of_samples.windows.reset();
  auto result = attention(copied(q), copied(k), copied(v), of_samples);
  result.output = Reordered::apply(result.output.reshape(q.sizes()), places, rows);
  return result;
}

AttentionResult attention_fused(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options,
                                const AttentionSamples& samples) {
  const bool plain = !options.bias && !options.windows;
  if (options.dropout == 0 && (plain || !at::GradMode::is_enabled())) {
    const auto n_q = samples.tokens_of(q), n_k = samples.tokens_of(k);
    const auto bias = options.bias ? AttentionBias(*options.bias, q.size(2), n_q, n_k) : AttentionBias();
    const double scale = scale_of(q, options);
    if (attention_blocks_obstacle(q, k, v)[0] == '\0') {
      const bool in_codes = options.int8 && scores_in_codes_pay(q.scalar_type(), n_k);
      return {attention_blocks(q, k, v, {scale, bias, samples, in_codes}), {}};
    }
    if (attention_heads_obstacle(q, k, v)[0] == '\0') return {attention_heads(q, k, v, scale, bias, samples), {}};
  }
  return options.windows ? attention_of_copies(q, k, v, options, attention_by_sdpa)
                         : attention_by_sdpa(q, k, v, options);
}

const char* fused_obstacle(const AttentionOptions& options) {
  if (options.return_weights) return "the weights are asked for";
  if (options.mask) return "a mask may block every key of a query";
  return "";
}

}  // namespace

AttentionResult attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options) {
  ASSERT(q.dim() == 4 && k.dim() == 4 && v.dim() == 4, "attention takes [b, n, heads, head_dim]");
  const OpScope scope("attention", {&q, &k, &v, given(options.bias), given(options.mask)});
  const AttentionSamples samples(options.windows);
  ASSERT(samples.of(q.size(0)) % turns(options.bias) == 0, "the biases of windows divide a batch of pictures");
  count_macs(2 * q.numel() * samples.tokens_of(k));
  const bool fused = use_fused("attention", fused_obstacle(options));
  auto result = fused             ? attention_fused(q, k, v, options, samples)
                : options.windows ? attention_of_copies(q, k, v, options, attention_reference)
                                  : attention_reference(q, k, v, options);
  result.output = scope.result(result.output);
  if (!options.return_weights) result.weights = Tensor();
  return result;
}

}  // namespace nunchi::ops
