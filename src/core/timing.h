// core/timing.h: how long something took.
//
//   const auto start = Clock::now();
//   seconds.push_back(seconds_since(start));
//   const double usual = median(seconds);
#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

namespace nunchi {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Of an even number of values the mean of the two in the middle; of none 0.
inline double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const auto middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace nunchi
