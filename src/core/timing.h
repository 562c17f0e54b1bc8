// core/timing.h: how long something took.
//
//   const auto start = Clock::now();
//   const double seconds = seconds_since(start);
#pragma once

#include <chrono>

namespace nunchi {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace nunchi
