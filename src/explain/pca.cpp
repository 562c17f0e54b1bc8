#include "explain/pca.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

namespace nunchi::explain {
namespace {

constexpr std::int64_t fewest_patches = 4;  // three components need one more

// Orthonormal eigenvectors [k, dim] of the covariance and their values, largest first.
struct Axes {
  Tensor vectors, values;
};

Axes largest(const Tensor& symmetric, std::int64_t k) {
  const auto [values, vectors] = at::linalg_eigh(symmetric);  // ascending, in columns
  const auto n = values.size(0);
  return {vectors.slice(1, n - k).flip(1).t(), values.slice(0, n - k).flip(0).clamp_min(0)};
}

// Of fewer rows than dimensions the small matrix of inner products has the same eigenvalues.
Axes principal_axes(const Tensor& centred, std::int64_t k) {
  const auto n = centred.size(0), dim = centred.size(1);
  const auto divisor = static_cast<double>(n - 1);
  if (n >= dim) return largest(at::matmul(centred.t(), centred) / divisor, k);
  const auto kept = std::min(k, n);
  auto [left, values] = largest(at::matmul(centred, centred.t()) / divisor, kept);
  const Tensor lengths = (values * divisor).sqrt().unsqueeze(1);
  const Tensor vectors = at::where(lengths > 1e-9 * lengths.max(), at::matmul(left, centred) / lengths, 0);
  if (kept == k) return {vectors, values};
  const auto missing = k - kept;
  return {at::cat({vectors, at::zeros({missing, dim}, centred.options())}),
          at::cat({values, at::zeros({missing}, centred.options())})};
}

Tensor with_fixed_signs(const Tensor& components) {
  const Tensor at_largest = components.gather(1, components.abs().argmax(1, /*keepdim=*/true));
  return at::where(at_largest < 0, -components, components);
}

Tensor border_of(nn::Grid grid) {  // [n] bool
  Tensor border = at::ones({grid[0], grid[1]}, at::kBool);
  if (grid[0] > 2 && grid[1] > 2) border.slice(0, 1, grid[0] - 1).slice(1, 1, grid[1] - 1).fill_(false);
  return border.flatten();
}

double share_of(const Tensor& part, const Tensor& of) {
  return (part & of).sum().item<double>() / std::max(1.0, of.sum().item<double>());
}

Tensor foreground_of(const std::vector<PatchTokens>& pictures, const Tensor& rows) {
  const Tensor positive = project(fit_pca(rows, 1), rows).select(1, 0) > 0;
  std::vector<Tensor> borders;
  for (const auto& picture : pictures) borders.push_back(border_of(picture.grid).repeat({picture.values.size(0)}));
  const Tensor border = at::cat(borders);
  const bool positive_is_background = share_of(border, positive) > share_of(border, ~positive);
  const Tensor foreground = positive_is_background ? ~positive : positive;
  const auto count = foreground.sum().item<std::int64_t>();
  const bool divides = count >= fewest_patches && rows.size(0) - count >= fewest_patches;
  return divides ? foreground : at::ones_like(foreground);
}

Tensor chosen(const Tensor& rows, const Tensor& which) { return rows.index_select(0, which.nonzero().select(1, 0)); }

// Each column from its least to its greatest value among the patches that count.
Tensor spread_to_one(const Tensor& values, const Tensor& counted) {
  const Tensor seen = chosen(values, counted);
  const Tensor least = std::get<0>(seen.min(0)), greatest = std::get<0>(seen.max(0));
  return ((values - least) / (greatest - least).clamp_min(1e-12)).clamp(0, 1);
}

PatchColors colored(const std::vector<PatchTokens>& pictures, const Tensor& rows, const Tensor& foreground) {
  const auto k = std::min<std::int64_t>(3, rows.size(1));
  const Pca pca = fit_pca(chosen(rows, foreground), k);
  Tensor rgb = spread_to_one(project(pca, rows), foreground) * foreground.unsqueeze(1);
  if (k < 3) rgb = at::cat({rgb, at::zeros({rgb.size(0), 3 - k}, rgb.options())}, 1);
  PatchColors colors{.rgb = parted(rgb, pictures), .foreground = parted(foreground, pictures), .shares = {}};
  for (std::int64_t i = 0; i < k; ++i) colors.shares.push_back(pca.shares[i].item<double>());
  return colors;
}

}  // namespace

Pca fit_pca(const Tensor& rows, std::int64_t components) {
  ASSERT(rows.dim() == 2 && rows.size(0) >= 2, "principal components need two rows or more");
  ASSERT(components >= 1 && components <= rows.size(1), "there are as many components as dimensions");
  const Tensor values = rows.to(at::kDouble);
  const Tensor mean = values.mean(0);
  const Tensor centred = values - mean;
  const auto [vectors, variances] = principal_axes(centred, components);
  const Tensor whole = centred.square().sum() / static_cast<double>(rows.size(0) - 1);
  return {.mean = mean,
          .components = with_fixed_signs(vectors),
          .variances = variances,
          .shares = variances / whole.clamp_min(1e-300)};
}

Tensor project(const Pca& pca, const Tensor& rows) {
  return at::matmul(rows.to(at::kDouble) - pca.mean, pca.components.t()).to(at::kFloat);
}

PatchColors pca_colors(const std::vector<PatchTokens>& pictures) {
  const Tensor rows = joined_rows(pictures);
  return colored(pictures, rows, foreground_of(pictures, rows));
}

PatchColors pca_colors_of_all(const std::vector<PatchTokens>& pictures) {
  const Tensor rows = joined_rows(pictures);
  return colored(pictures, rows, at::ones({rows.size(0)}, at::kBool));
}

}  // namespace nunchi::explain
