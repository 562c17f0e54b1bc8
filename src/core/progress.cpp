#include "core/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace nunchi {
namespace {

constexpr int bar_width = 20;
constexpr double memory_seconds = 10;  // how long the mean of the rate looks back

std::string bar(double fraction) {
  const auto filled = static_cast<std::size_t>(std::lround(fraction * bar_width));
  return std::string(filled, '#') + std::string(bar_width - filled, '.');
}

std::string format_rate(double rate, const std::string& unit) {
  return rate >= 1 ? fmt::format("{:.1f} {}/s", rate, unit) : fmt::format("{:.1f} s per {}", 1 / rate, unit);
}

}  // namespace

void ProgressMeter::update(std::int64_t done, double elapsed_seconds) {
  const double seconds = elapsed_seconds - last_seconds_;
  const auto steps = static_cast<double>(done - last_done_);
  if (steps <= 0 || seconds <= 0) return;
  const double weight = rate_ ? 1 - std::exp(-seconds / memory_seconds) : 1;
  rate_ = (1 - weight) * rate_.value_or(0) + weight * steps / seconds;
  last_done_ = done;
  last_seconds_ = elapsed_seconds;
}

std::string ProgressMeter::line(std::int64_t done, std::int64_t total, double elapsed_seconds) {
  update(done, elapsed_seconds);
  std::string text = title_;
  if (total > 0) {
    const double fraction = std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0);
    text += fmt::format(" {:3d} % [{}] {}/{}", static_cast<int>(fraction * 100), bar(fraction), done, total);
  } else {
    text += fmt::format(" {}", done);
  }
  if (!rate_) return text;
  text += "  " + format_rate(*rate_, unit_);
  if (done < total) text += fmt::format("  {} left", format_duration(static_cast<double>(total - done) / *rate_));
  if (total > 0 && done >= total) text += fmt::format("  {}", format_duration(elapsed_seconds));
  return text;
}

std::string format_duration(double seconds) {
  constexpr double longest = 1e12;  // far above what is shown with sense, far below the limit of the integer
  const auto whole = static_cast<std::int64_t>(std::clamp(std::round(seconds), 0.0, longest));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  if (whole < 86400) return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
  return fmt::format("{} d {} h", whole / 86400, whole % 86400 / 3600);
}

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::array units{"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < units.size()) {
    value /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

}  // namespace nunchi
