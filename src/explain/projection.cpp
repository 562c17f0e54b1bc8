#include "explain/projection.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "explain/pca.h"

namespace nunchi::explain {
Tensor pca_plane(const Tensor& vectors) {
  const auto n = vectors.size(0), kept = std::min<std::int64_t>(2, vectors.size(1));
  if (n < 2) return at::zeros({n, 2}, at::kFloat);
  const Tensor places = project(fit_pca(vectors, kept), vectors);
  return kept == 2 ? places : at::cat({places, at::zeros({n, 1}, at::kFloat)}, 1);
}

std::vector<std::vector<Neighbor>> nearest_neighbors(const Tensor& vectors, std::int64_t k) {
  std::vector<std::int64_t> itself(static_cast<std::size_t>(vectors.size(0)));
  std::iota(itself.begin(), itself.end(), 0);
  return nearest({.queries = vectors, .database = vectors, .itself = std::move(itself)}, k);
}

std::vector<Outlier> outliers(const std::vector<std::vector<Neighbor>>& all_neighbors) {
  std::vector<Outlier> all;
  for (const auto& neighbors : all_neighbors) {
    double sum = 0;
    for (const auto& neighbor : neighbors) sum += 1 - neighbor.cosine;
    const auto count = std::max<std::size_t>(1, neighbors.size());
    all.push_back({.index = std::ssize(all), .distance = sum / static_cast<double>(count)});
  }
  std::ranges::stable_sort(all, std::greater<>(), &Outlier::distance);
  const auto quartile = [&](double share) {
    return all.empty() ? 0
                       : all[static_cast<std::size_t>(std::ceil(share * static_cast<double>(all.size() - 1)))].distance;
  };
  const double upper = quartile(0.25), fence = upper + 1.5 * (upper - quartile(0.75));
  std::erase_if(all, [&](const Outlier& one) { return one.distance <= fence; });
  return all;
}

std::vector<Match> near_duplicates(const Tensor& vectors, double threshold) {
  std::vector<Match> pairs;
  for_each_row(vectors, vectors, [&](std::int64_t row, const float* cosines) {
    for (std::int64_t other = row + 1; other < vectors.size(0); ++other)
      if (cosines[other] >= threshold) pairs.push_back({.from = row, .to = other, .cosine = cosines[other]});
  });
  std::ranges::stable_sort(pairs, std::greater<>(), &Match::cosine);
  return pairs;
}

}  // namespace nunchi::explain
