#include "tasks/embed.h"

#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/matmul.h>
#include <fmt/format.h>

#include "tasks/vision_model.h"

namespace nunchi::tasks {
namespace {

Tensor patch_grid(const models::ModelOutput& output) {
  const Tensor& x = output.last_hidden_state;
  if (x.dim() == 4) return x.permute({0, 2, 3, 1}).contiguous();
  return x.slice(1, output.prefix_tokens).reshape({x.size(0), output.grid[0], output.grid[1], x.size(2)});
}

}  // namespace

EmbeddingKind embedding_kind_from_name(const std::string& name) {
  if (name == "cls") return EmbeddingKind::cls;
  if (name == "mean") return EmbeddingKind::mean;
  if (name == "grid") return EmbeddingKind::grid;
  throw Error(ErrorKind::usage, fmt::format("--pool {}: not known; known are cls, mean and grid", name));
}

Tensor embeddings(const models::ModelOutput& output, EmbeddingKind kind) {
  require_finite(output.last_hidden_state);
  const bool has_class_token = output.last_hidden_state.dim() == 3;
  if (kind == EmbeddingKind::cls && has_class_token) return output.last_hidden_state.select(1, 0).contiguous();
  if (kind == EmbeddingKind::grid) return patch_grid(output);
  return patch_grid(output).mean({1, 2});
}

Tensor cosine_matrix(const Tensor& rows) {
  const Tensor unit = rows / at::linalg_vector_norm(rows, 2, -1, /*keepdim=*/true).clamp_min(1e-12);
  return at::matmul(unit, unit.t());
}

}  // namespace nunchi::tasks
