#include "metrics/overlap.h"

#include <gtest/gtest.h>

namespace nunchi::metrics {
namespace {

TEST(Overlap, EachLabelHasTheSegmentThatLiesOnItBest) {
  const std::vector<int> truth = {0, 0, 0, 0, 3, 3, 3, -1}, segments = {5, 5, 5, 2, 2, 2, 7, 7};
  const auto best = best_segments(truth, segments);
  ASSERT_EQ(best.size(), 2u);
  EXPECT_EQ(best[0].label, 0);
  EXPECT_EQ(best[0].segment, 5);
  EXPECT_DOUBLE_EQ(best[0].iou, 3.0 / 4);
  EXPECT_EQ(best[0].count, 4);
  EXPECT_EQ(best[1].label, 3);
  EXPECT_EQ(best[1].segment, 2);
  EXPECT_DOUBLE_EQ(best[1].iou, 2.0 / 4);
  EXPECT_DOUBLE_EQ(mean_iou(best), (0.75 + 0.5) / 2);
}

TEST(Overlap, OfItselfIsOneWhateverTheNumbers) {
  const std::vector<int> truth = {1, 1, 4, 9}, segments = {8, 8, 0, 1};
  EXPECT_DOUBLE_EQ(mean_iou(best_segments(truth, segments)), 1);
  EXPECT_TRUE(best_segments(std::vector{-1, -1}, std::vector{0, 1}).empty());
  EXPECT_DOUBLE_EQ(mean_iou({}), 0);
}

}  // namespace
}  // namespace nunchi::metrics
