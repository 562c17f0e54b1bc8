#include "tasks/largest_batch.h"

#include <algorithm>
#include <cmath>

#include "core/assert.h"

namespace nunchi::tasks {
namespace {

// Between the largest batch that fits and the smallest that does not.
struct Bounds {
  std::int64_t fits = 0, fails;
  std::vector<BatchTrial> fitting = {};  // ascending
};

// Where the line through the last two that fit meets the limit.
double crossing(const Bounds& bounds, std::uint64_t limit) {
  const auto& [batch, memory] = bounds.fitting.back();
  const auto& before = bounds.fitting[bounds.fitting.size() - 2];
  const double slope =
      (static_cast<double>(*memory) - static_cast<double>(*before.memory)) / static_cast<double>(batch - before.batch);
  if (slope <= 0) return static_cast<double>(bounds.fails);
  return static_cast<double>(batch) + (static_cast<double>(limit) - static_cast<double>(*memory)) / slope;
}

std::int64_t next_batch(const Bounds& bounds, std::uint64_t limit, bool halve) {
  if (halve) return (bounds.fits + bounds.fails) / 2;
  if (bounds.fitting.size() < 2) return bounds.fits + 1;
  const auto farthest = std::min(8 * bounds.fits, bounds.fails - 1);
  const double guess = std::clamp(std::floor(crossing(bounds, limit)), 1.0, static_cast<double>(farthest));
  return std::clamp(static_cast<std::int64_t>(guess), bounds.fits + 1, bounds.fails - 1);
}

}  // namespace

LargestBatch find_largest_batch(const BatchSearch& search,
                                const std::function<std::optional<std::uint64_t>(std::int64_t batch)>& memory_of) {
  ASSERT(search.most >= 1, "there is a batch to try");
  LargestBatch found;
  Bounds bounds{.fails = search.most + 1};
  bool has_failed = false, slow = false;
  while (bounds.fails - bounds.fits > 1) {
    const auto before = bounds.fails - bounds.fits;
    // The guess is taken again only where it has brought the ends much closer.
    const BatchTrial trial{.batch = next_batch(bounds, search.limit, has_failed && slow), .memory = {}};
    found.trials.push_back({trial.batch, memory_of(trial.batch)});
    if (const auto memory = found.trials.back().memory; memory && *memory <= search.limit) {
      bounds.fits = trial.batch;
      bounds.fitting.push_back(found.trials.back());
    } else {
      bounds.fails = trial.batch;
      has_failed = true;
    }
    slow = !slow && 2 * (bounds.fails - bounds.fits) > before;
  }
  found.batch = bounds.fits;
  return found;
}

}  // namespace nunchi::tasks
