#include "tasks/scaling.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>

#include <cmath>

namespace nunchi::tasks {
namespace {

// One thread waits for no other one, whatever else the machine does.
class OneThread {
 public:
  OneThread() { at::set_num_threads(1); }
  ~OneThread() { at::set_num_threads(before_); }

 private:
  int before_ = at::get_num_threads();
};

TEST(Scaling, SlopesAreExponents) {
  EXPECT_NEAR(log_log_slope({1, 2, 4, 8}, {3, 12, 48, 192}), 2, 1e-12);
  EXPECT_NEAR(log_log_slope({5, 50, 500}, {7, 7, 7}), 0, 1e-12);
}

// REQUIREMENTS R020: the work of attention grows with the square of the tokens, that of a convolution with their
// number.
TEST(Scaling, AttentionGrowsFasterThanAConvolution) {
  const OneThread alone;
  const auto scaling = measure_scaling({.heads = 2, .head_dim = 64, .rounds = 5});
  ASSERT_EQ(scaling.curves.size(), 3U);
  const auto& [layer, attention, convolution] = std::tie(scaling.curves[0], scaling.curves[1], scaling.curves[2]);
  EXPECT_EQ(layer.points.front().tokens, 196);
  EXPECT_EQ(layer.points.back().tokens, 3136);
  for (const auto& point : layer.points) {
    const auto n = point.tokens, d = std::int64_t{128};
    EXPECT_EQ(point.macs, 4 * n * d * d + 2 * n * n * d);
  }
  EXPECT_NEAR(attention.work_slope.upper, 2, 1e-9);
  EXPECT_NEAR(convolution.work_slope.whole, 1, 1e-9);
  EXPECT_GT(layer.work_slope.upper, layer.work_slope.whole);
  EXPECT_LT(layer.work_slope.upper, 2);
  EXPECT_GT(layer.work_slope.upper, 1.7);
  for (const auto* curve : {&layer, &attention}) {
    EXPECT_GT(curve->time_slope.upper, 1.3) << curve->name;
    EXPECT_GT(curve->time_slope.upper, convolution.time_slope.upper) << curve->name;
  }
}

TEST(Scaling, AttentionSeesAllAndAConvolutionItsNeighbours) {
  const OneThread alone;
  const auto scaling = measure_scaling({.heads = 1, .head_dim = 16, .sides = {9, 12, 13}, .rounds = 1});
  ASSERT_EQ(scaling.fields.size(), 4U);
  for (const auto& field : scaling.fields) {
    EXPECT_EQ(field.attention, 81);
    EXPECT_EQ(field.convolution, (1 + 2 * field.layers) * (1 + 2 * field.layers));
  }
}

}  // namespace
}  // namespace nunchi::tasks
