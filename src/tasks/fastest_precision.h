// tasks/fastest_precision.h: which precision a model is fastest in on this machine, measured.
//
//   const auto timed = time_precisions({.path = "vit-base"});
//   timed.front().precision;   // bf16
#pragma once

#include "tasks/bench.h"

namespace nunchi::tasks {

struct TimedPrecision {
  nn::Precision precision = nn::Precision::fp32;
  double seconds = 0;  // the median, one picture at a time
};

bool is_stored_in_int8(const ModelSource& source);

// The fastest first. int8 is among them only where the checkpoint is stored in it (tasks/quantise.h), and its accuracy
// so known. Forks, as bench() does. Throws Error (model) where the model cannot be read.
std::vector<TimedPrecision> time_precisions(const ModelSource& source);

}  // namespace nunchi::tasks
