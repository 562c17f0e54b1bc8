#include "tasks/attention_map.h"

#include <ATen/ops/eye.h>
#include <ATen/ops/matmul.h>

#include <algorithm>

namespace nunchi::tasks {
namespace {

void require_attention_map(const models::ModelOutput& output) {
  if (has_attention_map(output)) return;
  throw Error(ErrorKind::usage,
              "attention maps: expected a transformer whose tokens all attend to each other (ViT, DeiT, DINO, BEiT, "
              "EVA), found a model without such weights; Swin's windows and convolutions have none");
}

// weights [b, n, n], from each token to each -> what is asked of the patches, [b, rows, columns].
Tensor seen_from_class_token(const Tensor& weights, const models::ModelOutput& output) {
  const bool has_class_token = output.prefix_tokens > output.registers;
  const Tensor row = has_class_token ? weights.select(1, 0) : weights.slice(1, output.prefix_tokens).mean(1);
  return row.slice(1, output.prefix_tokens).reshape({row.size(0), output.grid[0], output.grid[1]}).contiguous();
}

}  // namespace

bool has_attention_map(const models::ModelOutput& output) {
  const auto tokens = output.prefix_tokens + output.grid[0] * output.grid[1];
  return !output.attentions.empty() && std::ranges::all_of(output.attentions, [&](const Tensor& weights) {
    return weights.dim() == 4 && weights.size(2) == tokens && weights.size(3) == tokens;
  });
}

Tensor last_block_attention(const models::ModelOutput& output) {
  require_attention_map(output);
  return seen_from_class_token(output.attentions.back().to(at::kFloat).mean(1), output);
}

Tensor attention_rollout(const models::ModelOutput& output) {
  require_attention_map(output);
  const auto tokens = output.attentions.front().size(-1);
  const Tensor itself = at::eye(tokens, output.attentions.front().options().dtype(at::kFloat));
  Tensor rollout = itself;
  for (const Tensor& weights : output.attentions) {
    const Tensor mixed = 0.5 * weights.to(at::kFloat).mean(1) + 0.5 * itself;
    rollout = at::matmul(mixed / mixed.sum(-1, /*keepdim=*/true), rollout);
  }
  return seen_from_class_token(rollout, output);
}

}  // namespace nunchi::tasks
