#include "explain/patch_tokens.h"

#include <ATen/ops/cat.h>
#include <fmt/format.h>

#include "tasks/embed.h"

namespace nunchi::explain {
PatchTokens patch_tokens(const models::ModelOutput& output) {
  const Tensor& tokens = output.last_hidden_state;
  const bool has_grid = tokens.defined() && (tokens.dim() == 4 || (tokens.dim() == 3 && output.grid[0] > 0));
  if (!has_grid) {
    throw Error(ErrorKind::usage,
                "expected a model with one vector per patch or a last feature map (ViT, DINO, Swin, ResNet), found one "
                "that gives neither; use another model, or `nunchi embed` for one vector per picture");
  }
  const Tensor grid = tasks::embeddings(output, tasks::EmbeddingKind::grid);  // [b, rows, columns, dim]
  return {.values = grid.flatten(1, 2), .grid = {grid.size(1), grid.size(2)}};
}

PatchTokens patch_tokens_of_layer(const std::string& layer, const Tensor& values, const Anatomy& anatomy) {
  if (!is_map(values.sizes(), anatomy)) {
    throw Error(ErrorKind::usage,
                fmt::format("--layer {}: expected tokens or a feature map over the picture, found values of shape {}; "
                            "choose a block or a convolution, such as {}",
                            layer, to_string(values.sizes()), anatomy.map_layer));
  }
  const Tensor map = as_map(values, anatomy).to(at::kFloat);  // [b, c, rows, columns]
  tasks::require_finite(map);
  return {.values = map.flatten(2).transpose(1, 2).contiguous(), .grid = {map.size(2), map.size(3)}};
}

Tensor joined_rows(const std::vector<PatchTokens>& pictures) {
  std::vector<Tensor> all;
  for (const auto& picture : pictures) all.push_back(picture.values.flatten(0, 1));
  return at::cat(all);
}

std::vector<Tensor> parted(const Tensor& per_row, const std::vector<PatchTokens>& pictures) {
  std::vector<Tensor> parts;
  std::int64_t begin = 0;
  for (const auto& picture : pictures) {
    const auto end = begin + picture.values.size(0) * picture.count();
    parts.push_back(per_row.slice(0, begin, end).contiguous());
    begin = end;
  }
  ASSERT(begin == per_row.size(0), "there is a row for each patch");
  return parts;
}

std::int64_t patch_index(nn::Grid grid, std::int64_t row, std::int64_t column) {
  if (row < 0 || row >= grid[0] || column < 0 || column >= grid[1]) {
    throw Error(ErrorKind::usage, fmt::format("--patch {},{}: expected a row from 0 to {} and a column from 0 to {}",
                                              row, column, grid[0] - 1, grid[1] - 1));
  }
  return row * grid[1] + column;
}

}  // namespace nunchi::explain
