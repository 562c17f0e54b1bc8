#include "train/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"

namespace nunchi::train {
namespace {

double cosine(const ScheduleOptions& s, std::int64_t step) {
  const auto span = static_cast<double>(std::max<std::int64_t>(s.total_steps - s.warmup_steps, 1));
  const double progress = std::min(static_cast<double>(step - s.warmup_steps) / span, 1.0);
  return s.final_rate + (s.peak - s.final_rate) * (1 + std::cos(std::numbers::pi * progress)) / 2;
}

double staircase(const ScheduleOptions& s, std::int64_t step) {
  const auto steps_down = step / std::max<std::int64_t>(s.step_every, 1);
  return s.peak * std::pow(s.step_factor, static_cast<double>(steps_down));
}

}  // namespace

ScheduleKind schedule_kind_from_name(const std::string& name) {
  if (name == "cosine") return ScheduleKind::cosine;
  if (name == "constant") return ScheduleKind::constant;
  if (name == "step") return ScheduleKind::step;
  throw Error(ErrorKind::usage, fmt::format("schedule \"{}\" is not known; known are cosine, constant, step", name));
}

double learning_rate(const ScheduleOptions& s, std::int64_t step) {
  if (step < s.warmup_steps) return s.peak * static_cast<double>(step + 1) / static_cast<double>(s.warmup_steps + 1);
  const auto last = std::min(step, std::max<std::int64_t>(s.total_steps, 0));
  switch (s.kind) {
    case ScheduleKind::cosine:
      return cosine(s, last);
    case ScheduleKind::step:
      return staircase(s, last);
    case ScheduleKind::constant:
      break;
  }
  return s.peak;
}

}  // namespace nunchi::train
