#include "tasks/fastest_precision.h"

#include <algorithm>

#include "core/interrupt.h"

namespace nunchi::tasks {
namespace {

constexpr BenchOptions briefly{.seconds = 0.3, .least = 5};

}  // namespace

bool is_stored_in_int8(const ModelSource& source) {
  auto files = open_model_files(source);
  return weights::Checkpoint(std::move(files.weights), std::move(files.built.keys)).has_int8();
}

std::vector<TimedPrecision> time_precisions(const ModelSource& source) {
  std::vector precisions{nn::Precision::fp32, nn::Precision::bf16};
  if (is_stored_in_int8(source)) precisions.push_back(nn::Precision::int8);
  std::vector<TimedPrecision> timed;
  for (const auto precision : precisions) {
    throw_if_stopped();
    const auto result = bench(source, {.precision = precision}, briefly);
    if (!result.error.empty()) throw Error(ErrorKind::model, result.error);
    timed.push_back({precision, result.at(0.5)});
  }
  std::ranges::sort(timed, {}, &TimedPrecision::seconds);
  return timed;
}

}  // namespace nunchi::tasks
