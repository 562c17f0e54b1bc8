#include "metrics/classification.h"

#include <algorithm>
#include <cmath>

#include "core/assert.h"

namespace nunchi::metrics {
namespace {

constexpr double z95 = 1.959963984540054;  // the 97.5 % quantile of the normal distribution

double ratio(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::int64_t count_in(const std::map<std::int64_t, std::int64_t>& counts, std::int64_t id) {
  const auto found = counts.find(id);
  return found == counts.end() ? 0 : found->second;
}

template <class Weight>
Averages average(std::span<const ClassScore> scores, Weight weight_of) {
  Averages sum;
  double weights = 0;
  for (const auto& score : scores) {
    const double weight = weight_of(score);
    sum.precision += weight * score.precision;
    sum.recall += weight * score.recall;
    sum.f1 += weight * score.f1;
    weights += weight;
  }
  if (weights == 0) return {};
  return {sum.precision / weights, sum.recall / weights, sum.f1 / weights};
}

}  // namespace

Proportion proportion(std::int64_t hits, std::int64_t total) {
  ASSERT(0 <= hits && hits <= total, "a share is part of its whole");
  if (total == 0) return {};
  const auto n = static_cast<double>(total);
  const double p = static_cast<double>(hits) / n, z2 = z95 * z95;
  const double centre = (p + z2 / (2 * n)) / (1 + z2 / n);
  const double reach = z95 * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n);
  // None and all: the bound is exactly 0 or 1, whatever the rounding says.
  return {hits, total, p, hits == 0 ? 0 : centre - reach, hits == total ? 1 : centre + reach};
}

std::int64_t rank_of(std::span<const double> scores, std::int64_t truth) {
  ASSERT(truth >= 0 && truth < static_cast<std::int64_t>(scores.size()), "the true class is one of the classes");
  const auto own = static_cast<std::size_t>(truth);
  std::int64_t before = 0;
  for (std::size_t i = 0; i < scores.size(); ++i)
    before += scores[i] > scores[own] || (scores[i] == scores[own] && i < own) ? 1 : 0;
  return before;
}

void ConfusionMatrix::add(std::int64_t truth, std::int64_t predicted, std::int64_t count) {
  counts_[{truth, predicted}] += count;
  support_[truth] += count;
  predictions_[predicted] += count;
  total_ += count;
  if (truth == predicted) hits_ += count;
}

std::int64_t ConfusionMatrix::at(std::int64_t truth, std::int64_t predicted) const {
  const auto found = counts_.find({truth, predicted});
  return found == counts_.end() ? 0 : found->second;
}

std::int64_t ConfusionMatrix::support(std::int64_t truth) const { return count_in(support_, truth); }

std::int64_t ConfusionMatrix::predictions(std::int64_t predicted) const { return count_in(predictions_, predicted); }

std::vector<ConfusionMatrix::Confusion> ConfusionMatrix::most_frequent(std::size_t count) const {
  std::vector<Confusion> confusions;
  for (const auto& [pair, times] : counts_)
    if (pair.first != pair.second) confusions.push_back({pair.first, pair.second, times});
  std::ranges::stable_sort(confusions, std::greater(), &Confusion::count);
  confusions.resize(std::min(count, confusions.size()));
  return confusions;
}

std::vector<std::int64_t> ConfusionMatrix::predicted_classes() const {
  std::vector<std::int64_t> ids;
  for (const auto& [id, count] : predictions_) ids.push_back(id);
  return ids;
}

ClassScore class_score(const ConfusionMatrix& matrix, std::int64_t id) {
  ClassScore score{
      .id = id, .support = matrix.support(id), .predictions = matrix.predictions(id), .hits = matrix.at(id, id)};
  score.precision = ratio(score.hits, score.predictions);
  score.recall = ratio(score.hits, score.support);
  score.f1 = ratio(2 * score.hits, score.support + score.predictions);
  return score;
}

Averages macro_average(std::span<const ClassScore> scores) {
  return average(scores, [](const ClassScore& score) { return score.support > 0 ? 1.0 : 0.0; });
}

Averages weighted_average(std::span<const ClassScore> scores) {
  return average(scores, [](const ClassScore& score) { return static_cast<double>(score.support); });
}

}  // namespace nunchi::metrics
