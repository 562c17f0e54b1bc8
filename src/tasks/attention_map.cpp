#include "tasks/attention_map.h"

#include <ATen/ops/eye.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/topk.h>

#include <algorithm>

namespace nunchi::tasks {

void require_attention_map(const models::ModelOutput& output) {
  if (has_attention_map(output)) return;
  throw Error(ErrorKind::usage,
              "attention maps: expected a transformer whose tokens all attend to each other (ViT, DeiT, DINO, BEiT, "
              "EVA), found a model without such weights; Swin's windows and convolutions have none");
}

Tensor seen_from_class_token(const Tensor& weights, const models::ModelOutput& output) {
  const bool has_class_token = output.prefix_tokens > output.registers;
  const Tensor row = has_class_token ? weights.select(1, 0) : weights.slice(1, output.prefix_tokens).mean(1);
  return row.slice(1, output.prefix_tokens).reshape({row.size(0), output.grid[0], output.grid[1]}).contiguous();
}

bool has_attention_map(const models::ModelOutput& output) {
  const auto tokens = output.prefix_tokens + output.grid[0] * output.grid[1];
  // Windows may have as many tokens as the last map; but then there are several for each picture.
  return !output.attentions.empty() && std::ranges::all_of(output.attentions, [&](const Tensor& weights) {
    return weights.dim() == 4 && weights.size(0) == output.attentions.back().size(0) && weights.size(2) == tokens &&
           weights.size(3) == tokens;
  });
}

Tensor last_block_attention(const models::ModelOutput& output) {
  require_attention_map(output);
  return seen_from_class_token(output.attentions.back().to(at::kFloat).mean(1), output);
}

namespace {

// weights [b, n, n], of which the least share becomes zero.
Tensor without_least(const Tensor& weights, double share) {
  const auto n = weights.size(1), count = static_cast<std::int64_t>(share * static_cast<double>(n * n));
  if (count == 0) return weights;
  Tensor flat = weights.flatten(1).clone();
  flat.scatter_(1, std::get<1>(flat.topk(count, 1, /*largest=*/false)), 0);
  return flat.view_as(weights);
}

}  // namespace

Tensor attention_rollout(const models::ModelOutput& output, double discarded) {
  ASSERT(discarded >= 0 && discarded < 1, "a share below one is discarded");
  require_attention_map(output);
  const auto tokens = output.attentions.front().size(-1);
  const Tensor itself = at::eye(tokens, output.attentions.front().options().dtype(at::kFloat));
  Tensor rollout = itself;
  for (const Tensor& weights : output.attentions) {
    const Tensor mixed = 0.5 * without_least(weights.to(at::kFloat).mean(1), discarded) + 0.5 * itself;
    rollout = at::matmul(mixed / mixed.sum(-1, /*keepdim=*/true), rollout);
  }
  return seen_from_class_token(rollout, output);
}

}  // namespace nunchi::tasks
