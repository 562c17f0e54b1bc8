#include "metrics/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/assert.h"

namespace nunchi::metrics {
namespace {

double mean(double sum, std::int64_t count) { return count == 0 ? 0 : sum / static_cast<double>(count); }

// (low, high]: 1/15 itself belongs to the first of 15 bins, and so does 0.
std::size_t bin_of(double confidence, std::size_t bins) {
  const double position = std::ceil(confidence * static_cast<double>(bins)) - 1;
  return static_cast<std::size_t>(std::clamp(position, 0.0, static_cast<double>(bins - 1)));
}

double squared_distance(std::span<const double> probabilities, std::size_t truth) {
  double sum = 0;
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    const double error = probabilities[i] - (i == truth ? 1 : 0);
    sum += error * error;
  }
  return sum;
}

}  // namespace

CalibrationMeter::CalibrationMeter(int bins) : bins_(static_cast<std::size_t>(bins)) {
  ASSERT(bins > 0, "calibration needs at least one bin");
}

void CalibrationMeter::add(std::span<const double> probabilities, std::int64_t truth) {
  ASSERT(truth >= 0 && truth < static_cast<std::int64_t>(probabilities.size()), "the true class is one of the classes");
  const auto own = static_cast<std::size_t>(truth);
  const auto best = std::ranges::max_element(probabilities);
  Bin& bin = bins_[bin_of(*best, bins_.size())];
  ++bin.count;
  bin.confidence += *best;
  if (best - probabilities.begin() == truth) ++bin.hits;
  ++count_;
  brier_ += squared_distance(probabilities, own);
  log_likelihood_ += std::log(std::max(probabilities[own], std::numeric_limits<double>::min()));
}

Calibration CalibrationMeter::result() const {
  Calibration result{
      .bins = {}, .brier = mean(brier_, count_), .negative_log_likelihood = mean(-log_likelihood_, count_)};
  const auto width = 1.0 / static_cast<double>(bins_.size());
  for (std::size_t i = 0; i < bins_.size(); ++i) {
    const Bin& bin = bins_[i];
    result.bins.push_back({.low = width * static_cast<double>(i),
                           .high = width * static_cast<double>(i + 1),
                           .count = bin.count,
                           .confidence = mean(bin.confidence, bin.count),
                           .accuracy = mean(static_cast<double>(bin.hits), bin.count)});
    const double error = std::abs(result.bins.back().accuracy - result.bins.back().confidence);
    result.expected_error += mean(error * static_cast<double>(bin.count), count_);
    result.maximum_error = std::max(result.maximum_error, error);
  }
  return result;
}

}  // namespace nunchi::metrics
