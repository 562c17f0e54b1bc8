// train/schedule.h: the learning rate of each step.
//
//   const train::ScheduleOptions schedule{.peak = 1e-3, .warmup_steps = 500, .total_steps = 10'000};
//   optimizer.step(train::learning_rate(schedule, step));
#pragma once

#include <cstdint>
#include <string>

namespace nunchi::train {

// cosine: Loshchilov and Hutter 2017, without restarts; step: `step_factor` after every `step_every` steps.
enum class ScheduleKind { cosine, constant, step };

ScheduleKind schedule_kind_from_name(const std::string& name);  // throws Error (usage) for another name

struct ScheduleOptions {
  double peak = 1e-3;
  std::int64_t warmup_steps = 0, total_steps = 1;
  double final_rate = 0;  // of the cosine, reached at total_steps
  ScheduleKind kind = ScheduleKind::cosine;
  std::int64_t step_every = 1;
  double step_factor = 0.1;
};

// The rate of step 0, 1, ... (each in [0, total_steps); later ones keep the last rate). The warm-up rises in even
// steps from peak / (warmup_steps + 1), so that none is lost on a rate of zero; step number warmup_steps has the peak.
double learning_rate(const ScheduleOptions& schedule, std::int64_t step);

}  // namespace nunchi::train
