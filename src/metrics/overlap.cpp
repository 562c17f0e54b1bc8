#include "metrics/overlap.h"

#include <map>
#include <utility>

#include "core/assert.h"

namespace nunchi::metrics {

std::vector<BestSegment> best_segments(std::span<const int> truth, std::span<const int> segments) {
  ASSERT(truth.size() == segments.size(), "each place has a label and a segment");
  std::map<int, std::int64_t> labelled, segmented;
  std::map<std::pair<int, int>, std::int64_t> both;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (truth[i] < 0) continue;
    ++labelled[truth[i]];
    ++segmented[segments[i]];
    ++both[{truth[i], segments[i]}];
  }
  std::vector<BestSegment> best;
  for (const auto& [label, count] : labelled) best.push_back({.label = label, .count = count});
  std::size_t row = 0;
  for (const auto& [pair, shared] : both) {  // sorted as the labels are
    while (best[row].label != pair.first) ++row;
    const auto either = best[row].count + segmented[pair.second] - shared;
    const double iou = static_cast<double>(shared) / static_cast<double>(either);
    if (iou > best[row].iou) {
      best[row].segment = pair.second;
      best[row].iou = iou;
    }
  }
  return best;
}

double mean_iou(const std::vector<BestSegment>& best) {
  double sum = 0;
  for (const auto& each : best) sum += each.iou;
  return best.empty() ? 0 : sum / static_cast<double>(best.size());
}

}  // namespace nunchi::metrics
