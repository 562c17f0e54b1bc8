#include "explain/attention.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/floor_divide.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/xlogy.h>
#include <ATen/ops/zeros_like.h>

#include "tasks/attention_map.h"

namespace nunchi::explain {
Tensor gradient_rollout(const AttentionEvidence& evidence) {
  Tensor relevance = at::eye(evidence.weights.front().size(-1));
  for (std::size_t i = 0; i < evidence.weights.size(); ++i)
    relevance += at::matmul(at::relu(evidence.gradients[i] * evidence.weights[i]).mean(0), relevance);
  return relevance;
}

Tensor from_class_token(const Tensor& relevance, const Anatomy& anatomy) {
  models::ModelOutput tokens;
  tokens.prefix_tokens = anatomy.prefix_tokens;
  tokens.registers = anatomy.registers;
  tokens.grid = anatomy.grid;
  return tasks::seen_from_class_token(relevance.unsqueeze(0), tokens)[0];
}

Tensor attention_entropy(const Tensor& weights) { return -at::xlogy(weights, weights).sum(-1).mean(-1); }

Tensor attention_distance(const Tensor& weights, const Anatomy& anatomy) {
  const auto [rows, columns] = anatomy.grid;
  const Tensor place = at::arange(rows * columns);
  const Tensor row = at::floor_divide(place, columns).to(at::kFloat), column = place.remainder(columns).to(at::kFloat);
  const Tensor distance = ((row.unsqueeze(1) - row).square() + (column.unsqueeze(1) - column).square()).sqrt();
  const Tensor between = weights.slice(1, anatomy.prefix_tokens).slice(2, anatomy.prefix_tokens);
  return (between * distance).sum(-1).mean(-1);
}

Tensor largest_share(const Tensor& map, double share) {
  const auto [values, order] = map.flatten().sort(/*dim=*/0, /*descending=*/true);
  const Tensor before = values.cumsum(0) - values;
  const Tensor kept = before < share * values.sum();
  return at::zeros_like(kept).scatter(0, order, kept).view_as(map);
}

}  // namespace nunchi::explain
