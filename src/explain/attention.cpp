#include "explain/attention.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/floor_divide.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/xlogy.h>
#include <ATen/ops/zeros_like.h>

namespace nunchi::explain {
namespace {

Tensor patches_of(const Tensor& rows, const Anatomy& anatomy) {
  return rows.slice(-1, anatomy.prefix_tokens).unflatten(-1, {anatomy.grid[0], anatomy.grid[1]});
}

bool has_class_token(const Anatomy& anatomy) { return anatomy.prefix_tokens > anatomy.registers; }

}  // namespace

Tensor gradient_rollout(const AttentionEvidence& evidence) {
  Tensor relevance = at::eye(evidence.weights.front().size(-1));
  for (std::size_t i = 0; i < evidence.weights.size(); ++i)
    relevance += at::matmul(at::relu(evidence.gradients[i] * evidence.weights[i]).mean(0), relevance);
  return relevance;
}

Tensor from_class_token(const Tensor& relevance, const Anatomy& anatomy) {
  const Tensor row = has_class_token(anatomy) ? relevance[0] : relevance.slice(0, anatomy.prefix_tokens).mean(0);
  return patches_of(row, anatomy).contiguous();
}

Tensor read_by(const Tensor& weights, std::int64_t query, const Anatomy& anatomy) {
  return patches_of(weights.select(1, query), anatomy);
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
