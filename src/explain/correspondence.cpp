#include "explain/correspondence.h"

#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/matmul.h>

#include <algorithm>

namespace nunchi::explain {
namespace {

// In double: the cosine of two equal rows is to be the largest of its row, not one of several that rounding makes so.
Tensor unit_rows(const Tensor& rows) {
  const Tensor values = rows.to(at::kDouble);
  return values / at::linalg_vector_norm(values, 2, 1, /*keepdim=*/true).clamp_min(1e-12);
}

}  // namespace

Tensor patch_cosines(const Tensor& from, const Tensor& to) {
  ASSERT(from.dim() == 2 && to.dim() == 2 && from.size(1) == to.size(1), "tokens of one network have one length");
  return at::matmul(unit_rows(from), unit_rows(to).t()).clamp(-1, 1).to(at::kFloat);
}

std::vector<Match> best_matches(const Tensor& cosines) {
  const Tensor all = cosines.to(at::kFloat).contiguous();
  const auto columns = all.size(1);
  std::vector<Match> matches;
  for (std::int64_t row = 0; row < all.size(0); ++row) {
    const float* begin = all.const_data_ptr<float>() + row * columns;
    const float* best = std::max_element(begin, begin + columns);
    matches.push_back({.from = row, .to = best - begin, .cosine = *best});
  }
  return matches;
}

std::vector<Match> mutual_nearest(const Tensor& cosines) {
  const auto back = best_matches(cosines.t());
  std::vector<Match> mutual;
  for (const Match& match : best_matches(cosines))
    if (back[static_cast<std::size_t>(match.to)].to == match.from) mutual.push_back(match);
  std::ranges::stable_sort(mutual, std::greater<>(), &Match::cosine);
  return mutual;
}

}  // namespace nunchi::explain
