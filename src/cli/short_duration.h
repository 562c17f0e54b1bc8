// cli/short_duration.h: times in tables.
//
//   short_duration(0.00393);   // "3.93 ms"
#pragma once

#include <fmt/format.h>

namespace nunchi::cli {

inline std::string short_duration(double seconds) {
  return seconds < 1 ? fmt::format("{:.2f} ms", 1000 * seconds) : fmt::format("{:.2f} s", seconds);
}

}  // namespace nunchi::cli
