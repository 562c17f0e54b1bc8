#include "core/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nunchi {
namespace {

using testing::HasSubstr;

TEST(ProgressMeter, ShowsShareRateAndTimeLeft) {
  ProgressMeter meter("classify", "images");
  EXPECT_EQ(meter.line(0, 1000, 0), "classify   0 % [....................] 0/1000");
  EXPECT_EQ(meter.line(250, 1000, 10), "classify  25 % [#####...............] 250/1000  25.0 images/s  30 s left");
  EXPECT_THAT(meter.line(1000, 1000, 40), HasSubstr("100 % [####################] 1000/1000  25.0 images/s  40 s"));
}

TEST(ProgressMeter, RateFollowsTheLastSeconds) {
  ProgressMeter meter("train", "steps");
  meter.line(1, 1000, 10);  // a slow start
  for (int second = 1; second <= 60; ++second) meter.line(1 + 10 * second, 1000, 10 + second);
  EXPECT_NEAR(meter.rate(), 10, 0.1);
}

TEST(ProgressMeter, SlowWorkCountsSecondsAStep) {
  ProgressMeter meter("train", "epoch");
  EXPECT_THAT(meter.line(1, 10, 20), HasSubstr("20.0 s per epoch  3 min 00 s left"));
}

TEST(ProgressMeter, UnknownTotalAndRepeatedCallsAreHarmless) {
  ProgressMeter meter("read", "files");
  EXPECT_EQ(meter.line(5, 0, 1), "read 5  5.0 files/s");
  EXPECT_EQ(meter.line(5, 0, 1), "read 5  5.0 files/s");
  EXPECT_THAT(meter.line(7, 5, 2), HasSubstr("100 %"));
}

TEST(FormatDuration, ChoosesTheUnit) {
  EXPECT_EQ(format_duration(-1), "0 s");
  EXPECT_EQ(format_duration(59.4), "59 s");
  EXPECT_EQ(format_duration(245), "4 min 05 s");
  EXPECT_EQ(format_duration(12000), "3 h 20 min");
  EXPECT_EQ(format_duration(187200), "2 d 4 h");
  EXPECT_EQ(format_duration(1e300).back(), 'h');
}

TEST(FormatBytes, ChoosesTheUnit) {
  EXPECT_EQ(format_bytes(512), "512 B");
  EXPECT_EQ(format_bytes(1500000), "1.5 MB");
  EXPECT_EQ(format_bytes(999999), "1.0 MB");
  EXPECT_EQ(format_bytes(~0ull), "18.4 EB");
}

}  // namespace
}  // namespace nunchi
