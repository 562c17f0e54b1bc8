#include "explain/clusters.h"

#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "core/interrupt.h"
#include "explain/chance.h"
#include "ops/numbers.h"
#include "tasks/embed.h"

namespace nunchi::explain {
namespace {

constexpr std::int64_t most_spectral_rows = 6000, most_eigenvalues = 16;

// [n, k]: squared distances, never below zero.
Tensor distances_to(const Tensor& rows, const Tensor& centers) {
  const Tensor products = at::matmul(rows, centers.t());
  return (rows.square().sum(1, /*keepdim=*/true) + centers.square().sum(1) - 2 * products).clamp_min(0);
}

// A place in `weights` [n], each with its share of the chance.
std::int64_t drawn(const Tensor& weights, Chance& chance) {
  const Tensor sums = weights.cumsum(0).contiguous();
  const double* begin = sums.const_data_ptr<double>();
  const double* end = begin + sums.numel();
  const double* place = std::upper_bound(begin, end, chance.share() * end[-1]);
  return std::min(place - begin, sums.numel() - 1);
}

Tensor first_centers(const Tensor& rows, std::int64_t k, Chance& chance) {
  const auto n = rows.size(0);
  std::vector<Tensor> centers = {rows[static_cast<std::int64_t>(chance.share() * static_cast<double>(n))]};
  Tensor nearest = distances_to(rows, centers.front().unsqueeze(0)).select(1, 0);
  while (std::ssize(centers) < k && nearest.max().item<double>() > 0) {
    centers.push_back(rows[drawn(nearest, chance)]);
    nearest = at::minimum(nearest, distances_to(rows, centers.back().unsqueeze(0)).select(1, 0));
  }
  return at::stack(centers);
}

struct Step {
  Tensor assignment, distances;  // [n]
};

Step assigned(const Tensor& rows, const Tensor& centers) {
  const auto [distances, assignment] = distances_to(rows, centers).min(1);
  return {assignment, distances};
}

Tensor means_of(const Tensor& rows, const Tensor& assignment, std::int64_t k) {
  const Tensor sums = at::zeros({k, rows.size(1)}, rows.options()).index_add(0, assignment, rows);
  return sums / assignment.bincount({}, k).clamp_min(1).unsqueeze(1);
}

// Each cluster without rows takes the one that is worst off.
void fill_empty(Step& step, std::int64_t k) {
  const Tensor counts = step.assignment.bincount({}, k);
  for (std::int64_t cluster = 0; cluster < k; ++cluster) {
    if (counts[cluster].item<std::int64_t>() > 0) continue;
    const auto row = step.distances.argmax().item<std::int64_t>();
    step.assignment[row].fill_(cluster);
    step.distances[row].zero_();
  }
}

struct Run {
  Tensor assignment, centers;
  std::vector<double> inertia;
};

Run lloyd(const Tensor& rows, const ClusterOptions& options, Chance& chance) {
  Run run{.centers = first_centers(rows, options.clusters, chance)};
  const auto k = run.centers.size(0);
  for (std::int64_t i = 0; i < options.iterations; ++i) {
    throw_if_stopped();
    Step step = assigned(rows, run.centers);
    fill_empty(step, k);
    const bool same = run.assignment.defined() && run.assignment.equal(step.assignment);
    run.assignment = step.assignment;
    run.centers = means_of(rows, run.assignment, k);
    run.inertia.push_back((rows - run.centers.index_select(0, run.assignment)).square().sum().item<double>());
    if (same) break;
  }
  return run;
}

Clusters in_order_of_size(const Run& run) {
  const auto k = run.centers.size(0);
  const Tensor counts = run.assignment.bincount({}, k);
  std::vector<std::int64_t> order(static_cast<std::size_t>(k));
  std::iota(order.begin(), order.end(), 0);
  std::vector<std::int64_t> sizes;
  for (const auto cluster : order) sizes.push_back(counts[cluster].item<std::int64_t>());
  std::ranges::stable_sort(
      order, [&](auto a, auto b) { return sizes[static_cast<std::size_t>(a)] > sizes[static_cast<std::size_t>(b)]; });
  std::ranges::sort(sizes, std::greater<>());
  Tensor number = at::zeros({k}, at::kLong);
  for (std::size_t i = 0; i < order.size(); ++i) number[order[i]].fill_(static_cast<std::int64_t>(i));
  return {.assignment = number.index_select(0, run.assignment),
          .centers = run.centers.index_select(0, number.argsort()).to(at::kFloat),
          .sizes = std::move(sizes),
          .inertia = run.inertia};
}

// Least eigenvalues of the normalised Laplacian, and their vectors [n, k] of length one each.
struct Spectrum {
  Tensor values, vectors;
};

Spectrum laplacian_spectrum(const Tensor& rows) {
  const Tensor centred = rows.to(at::kDouble) - rows.to(at::kDouble).mean(0);
  const Tensor affinity = tasks::cosine_matrix(centred).clamp_min(0);
  const Tensor scale = affinity.sum(1).clamp_min(1e-12).rsqrt();
  const Tensor laplacian = at::eye(rows.size(0), affinity.options()) - scale.unsqueeze(1) * affinity * scale;
  const auto [values, vectors] = at::linalg_eigh(laplacian);
  return {values, vectors};
}

std::int64_t before_largest_gap(const std::vector<double>& values) {
  std::int64_t best = 1;
  double widest = 0;
  for (std::size_t i = 1; i < values.size(); ++i) {
    if (values[i] - values[i - 1] <= widest) continue;
    widest = values[i] - values[i - 1];
    best = static_cast<std::int64_t>(i);
  }
  return best;
}

}  // namespace

Clusters k_means(const Tensor& rows, const ClusterOptions& options) {
  ASSERT(rows.dim() == 2 && rows.size(0) >= 1 && options.clusters >= 1, "clusters are of rows, and at least one");
  ASSERT(options.starts >= 1 && options.iterations >= 1, "k-means runs once or more");
  const Tensor values = rows.to(at::kDouble);
  Chance chance(options.seed);
  Run best;
  for (std::int64_t start = 0; start < options.starts; ++start) {
    Run run = lloyd(values, options, chance);
    if (best.inertia.empty() || run.inertia.back() < best.inertia.back()) best = std::move(run);
  }
  return in_order_of_size(best);
}

SpectralClusters spectral_clusters(const Tensor& rows, const ClusterOptions& options) {
  const auto n = rows.size(0);
  if (n > most_spectral_rows) {
    throw Error(ErrorKind::usage, fmt::format("spectral clustering: expected at most {} patches in all, found {}; take "
                                              "fewer pictures at once, or --show clusters (k-means)",
                                              most_spectral_rows, n));
  }
  const auto [values, vectors] = laplacian_spectrum(rows);
  SpectralClusters result{.clusters = {},
                          .eigenvalues = ops::numbers_of<double>(values.slice(0, 0, std::min(n, most_eigenvalues)))};
  result.suggested = before_largest_gap(result.eigenvalues);
  const Tensor places = vectors.slice(1, 0, std::min(n, options.clusters));
  const Tensor lengths = at::linalg_vector_norm(places, 2, 1, /*keepdim=*/true).clamp_min(1e-12);
  result.clusters = k_means(places / lengths, options);
  const auto k = std::ssize(result.clusters.sizes);
  result.clusters.centers = means_of(rows.to(at::kDouble), result.clusters.assignment, k).to(at::kFloat);
  return result;
}

}  // namespace nunchi::explain
