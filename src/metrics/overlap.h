// metrics/overlap.h: how well the segments that a network finds by itself lie on those that people drew.
//
//   for (const BestSegment& best : best_segments(truth, found)) print(best.label, best.iou);
//   mean_iou(best_segments(truth, found));
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace nunchi::metrics {

struct BestSegment {
  int label = 0;           // of the truth
  int segment = 0;         // that lies on it best
  double iou = 0;          // intersection over union of both (Jaccard), 0 ... 1
  std::int64_t count = 0;  // places of the label
};

// For each label of the truth, in ascending order, the segment with the largest intersection over union; of equal ones
// the first. Both have a number for each place; where the truth is below zero, nothing is known and neither counts.
// Segments may be the best of several labels. Asserts that both are of one size.
std::vector<BestSegment> best_segments(std::span<const int> truth, std::span<const int> segments);

// Over the labels, each counting alike; 0 of none.
double mean_iou(const std::vector<BestSegment>& best);

}  // namespace nunchi::metrics
