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

Tensor class_token(const models::ModelOutput& output) {
  const Tensor& x = output.last_hidden_state;
  if (x.dim() == 3 && output.prefix_tokens > output.registers) return x.select(1, 0).contiguous();
  const bool is_map = x.dim() == 4;
  return is_map || !output.pooler_output.defined() ? patch_grid(output).mean({1, 2})
                                                   : output.pooler_output.contiguous();
}

Tensor pooled(const models::ModelOutput& output) {
  if (output.pooler_output.defined()) return output.pooler_output.contiguous();
  throw Error(ErrorKind::usage, "--pool pooled: this model has no pooled output; --pool cls and mean are there");
}

Tensor registers(const models::ModelOutput& output) {
  if (output.registers == 0)
    throw Error(ErrorKind::usage, "--pool registers: this model has no register tokens; --pool cls and mean are there");
  return output.last_hidden_state.slice(1, output.prefix_tokens - output.registers, output.prefix_tokens).contiguous();
}

}  // namespace

EmbeddingKind embedding_kind_from_name(const std::string& name) {
  if (name == "cls") return EmbeddingKind::cls;
  if (name == "mean") return EmbeddingKind::mean;
  if (name == "pooled") return EmbeddingKind::pooled;
  if (name == "grid") return EmbeddingKind::grid;
  if (name == "registers") return EmbeddingKind::registers;
  throw Error(ErrorKind::usage,
              fmt::format("--pool {}: not known; known are cls, mean, pooled, grid and registers", name));
}

Tensor embeddings(const models::ModelOutput& output, EmbeddingKind kind) {
  require_finite(output.last_hidden_state);
  switch (kind) {
    case EmbeddingKind::cls:
      return class_token(output);
    case EmbeddingKind::mean:
      return patch_grid(output).mean({1, 2});
    case EmbeddingKind::pooled:
      return pooled(output);
    case EmbeddingKind::grid:
      return patch_grid(output);
    case EmbeddingKind::registers:
      return registers(output);
  }
  ASSERT(false, "every kind has its case");
}

Tensor cosine_matrix(const Tensor& rows) {
  const Tensor unit = rows / at::linalg_vector_norm(rows, 2, -1, /*keepdim=*/true).clamp_min(1e-12);
  return at::matmul(unit, unit.t());
}

}  // namespace nunchi::tasks
