#include "metrics/calibration.h"

#include <gmock/gmock.h>

#include <cmath>

namespace nunchi::metrics {
namespace {

// Three pictures, two classes, four bins, worked by hand.
TEST(Calibration, IsThatOfThePublishedFormulas) {
  CalibrationMeter meter(4);
  meter.add(std::vector{0.9, 0.1}, 0);  // bin 3, right
  meter.add(std::vector{0.8, 0.2}, 1);  // bin 3, wrong
  meter.add(std::vector{0.4, 0.6}, 1);  // bin 2, right
  const auto found = meter.result();
  ASSERT_EQ(found.bins.size(), 4u);
  EXPECT_EQ(found.bins[0].count, 0);
  EXPECT_EQ(found.bins[2].count, 1);
  EXPECT_DOUBLE_EQ(found.bins[2].confidence, 0.6);
  EXPECT_EQ(found.bins[3].count, 2);
  EXPECT_DOUBLE_EQ(found.bins[3].confidence, 0.85);
  EXPECT_DOUBLE_EQ(found.bins[3].accuracy, 0.5);
  EXPECT_DOUBLE_EQ(found.bins[3].low, 0.75);
  EXPECT_DOUBLE_EQ(found.bins[3].high, 1);
  EXPECT_NEAR(found.expected_error, (2 * 0.35 + 1 * 0.4) / 3, 1e-15);
  EXPECT_NEAR(found.maximum_error, 0.4, 1e-15);
  EXPECT_NEAR(found.brier, (2 * 0.01 + 2 * 0.64 + 2 * 0.16) / 3, 1e-15);
  EXPECT_NEAR(found.negative_log_likelihood, -(std::log(0.9) + std::log(0.2) + std::log(0.6)) / 3, 1e-15);
}

TEST(Calibration, AUniformAnswerHasItsKnownScores) {
  CalibrationMeter meter;
  const std::vector<double> uniform(10, 0.1);
  for (int truth = 0; truth < 10; ++truth) meter.add(uniform, truth);
  const auto found = meter.result();
  EXPECT_EQ(found.bins.size(), 15u);
  EXPECT_NEAR(found.expected_error, 0, 1e-15);  // confident to 10 %, right in 10 %
  EXPECT_NEAR(found.brier, 0.9, 1e-15);         // 1 - 2/k + 1/k
  EXPECT_NEAR(found.negative_log_likelihood, std::log(10), 1e-15);
}

TEST(Calibration, TheUpperEdgeBelongsToItsBin) {
  CalibrationMeter meter(4);
  meter.add(std::vector{0.5, 0.5}, 0);
  meter.add(std::vector{1.0, 0.0}, 0);
  const auto found = meter.result();
  EXPECT_EQ(found.bins[1].count, 1);
  EXPECT_EQ(found.bins[2].count, 0);
  EXPECT_EQ(found.bins[3].count, 1);
}

TEST(Calibration, StaysFiniteWhereTheTruthHasNoProbability) {
  CalibrationMeter meter;
  meter.add(std::vector{1.0, 0.0}, 1);
  const auto found = meter.result();
  EXPECT_TRUE(std::isfinite(found.negative_log_likelihood));
  EXPECT_DOUBLE_EQ(found.brier, 2);
  EXPECT_DOUBLE_EQ(found.maximum_error, 1);
  EXPECT_EQ(CalibrationMeter().result().expected_error, 0);
}

}  // namespace
}  // namespace nunchi::metrics
