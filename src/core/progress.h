// core/progress.h: how far long work has come; the caller decides how to show it.
//
//   ProgressMeter meter("classify", "images");
//   run(inputs, [&](std::int64_t done, std::int64_t total) { show(meter.line(done, total, seconds_since_start)); });
//   // "classify  42 % [########............] 420/1000  33.1 images/s  17 s left"
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace nunchi {

// Called after each step. `total` is 0 where it is not known. An empty function is a caller that does not care.
using Progress = std::function<void(std::int64_t done, std::int64_t total)>;

// Turns counts and elapsed time into one line. The rate is that of the last ten seconds or so (an exponential mean),
// so that a slow first batch does not spoil the time left.
class ProgressMeter {
 public:
  ProgressMeter(std::string title, std::string unit) : title_(std::move(title)), unit_(std::move(unit)) {}

  std::string line(std::int64_t done, std::int64_t total, double elapsed_seconds);
  double rate() const { return rate_.value_or(0); }  // units per second, 0 before the first step

 private:
  void update(std::int64_t done, double elapsed_seconds);

  std::string title_;
  std::string unit_;
  std::int64_t last_done_ = 0;
  double last_seconds_ = 0;
  std::optional<double> rate_;
};

// "17 s", "4 min 05 s", "3 h 20 min", "2 d 4 h".
std::string format_duration(double seconds);

// "512 B", "1.5 MB" (powers of 1000).
std::string format_bytes(std::uint64_t bytes);

}  // namespace nunchi
