#include "train/schedule.h"

#include <gmock/gmock.h>

#include <cmath>
#include <numbers>

#include "core/error.h"

namespace nunchi::train {
namespace {

TEST(Schedule, CosineFollowsItsFormula) {  // R090
  const ScheduleOptions schedule{.peak = 0.4, .total_steps = 20};
  for (int step = 0; step < 20; ++step)
    EXPECT_NEAR(learning_rate(schedule, step), 0.4 * (1 + std::cos(std::numbers::pi * step / 20)) / 2, 1e-12);
  EXPECT_NEAR(learning_rate(schedule, 20), 0, 1e-12);
  EXPECT_NEAR(learning_rate({.peak = 1, .total_steps = 10, .final_rate = 0.1}, 1000), 0.1, 1e-12);
}

TEST(Schedule, WarmUpRisesEvenlyAndWastesNoStep) {
  for (const auto kind : {ScheduleKind::cosine, ScheduleKind::constant, ScheduleKind::step}) {
    const ScheduleOptions schedule{.peak = 1, .warmup_steps = 4, .total_steps = 10, .kind = kind, .step_every = 100};
    for (int step = 0; step <= 4; ++step) EXPECT_NEAR(learning_rate(schedule, step), 0.2 * (step + 1), 1e-12);
  }
}

TEST(Schedule, FallsInSteps) {  // R089
  const ScheduleOptions schedule{.peak = 1e-3, .total_steps = 100, .kind = ScheduleKind::step, .step_every = 30};
  for (const auto& [step, rate] : {std::pair{0, 1e-3}, {29, 1e-3}, {30, 1e-4}, {60, 1e-5}, {90, 1e-6}})
    EXPECT_NEAR(learning_rate(schedule, step), rate, 1e-15) << step;
}

TEST(Schedule, StaysConstant) {
  EXPECT_EQ(learning_rate({.peak = 0.5, .total_steps = 10, .kind = ScheduleKind::constant}, 9), 0.5);
}

TEST(Schedule, RefusesAnUnknownName) {
  EXPECT_EQ(schedule_kind_from_name("step"), ScheduleKind::step);
  EXPECT_THAT([] { schedule_kind_from_name("linear"); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("cosine, constant, step")));
}

}  // namespace
}  // namespace nunchi::train
