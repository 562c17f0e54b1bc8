#include "draw/ticks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/assert.h"

namespace nunchi::draw {
namespace {

// The smallest of 1, 2, 5 times a power of ten that is no smaller than `step`.
double round_up(double step) {
  const double power = std::pow(10.0, std::floor(std::log10(step)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= step * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

std::string grouped(std::string digits) {
  const std::size_t start = digits.starts_with('-') ? 1 : 0;
  const std::size_t point = std::min(digits.find('.'), digits.size());
  for (std::size_t i = point; i > start + 3;) {
    i -= 3;
    digits.insert(i, 1, ',');
  }
  return digits;
}

}  // namespace

std::string format_number(double value, double step, NumberFormat format) {
  if (format == NumberFormat::percent) return fmt::format("{} %", format_number(100 * value, 100 * step));
  const double size = std::max(std::abs(value), step);
  if (size >= 1e7 || step < 1e-4) return value == 0 ? "0" : fmt::format("{:.3g}", value);
  const int decimals = std::max(0, -static_cast<int>(std::floor(std::log10(step) + 1e-9)));
  const std::string digits = fmt::format("{:.{}f}", value, decimals);
  const bool negative_zero = digits.starts_with('-') && digits.find_first_not_of("-0.") == std::string::npos;
  return grouped(negative_zero ? digits.substr(1) : digits);
}

Ticks nice_ticks(double least, double greatest, int most, const TickOptions& options) {
  ASSERT(std::isfinite(least) && std::isfinite(greatest) && least <= greatest && most >= 2, "an axis has two ends");
  double range = greatest - least;
  if (range <= std::abs(greatest) * 1e-12) range = std::max(std::abs(greatest), 1e-9);  // all values are equal
  double step = round_up(range / (most - 1));
  if (options.whole_numbers) step = std::max(step, 1.0);
  const double nearly = 1e-6;
  const auto first = options.inside ? std::ceil(least / step - nearly) : std::floor(least / step + nearly);
  auto last = options.inside ? std::floor(greatest / step + nearly) : std::ceil(greatest / step - nearly);
  last = std::max(last, options.inside ? first : first + 1);
  Ticks ticks;
  for (double i = first; i <= last; ++i) {
    ticks.values.push_back(i * step);
    ticks.labels.push_back(format_number(i * step, step, options.format));
  }
  return ticks;
}

namespace {

// Those with one of the leading digits, from the last one below `least` to the first one above `greatest`.
std::vector<double> around(double least, double greatest, const std::vector<double>& digits) {
  std::vector<double> values;
  for (double power = std::pow(10.0, std::floor(std::log10(least))); values.empty() || values.back() < greatest;
       power *= 10) {
    for (const double digit : digits) {
      const double value = digit * power;
      if (value <= least * (1 + 1e-9)) values.clear();
      if (values.empty() || values.back() < greatest * (1 - 1e-9)) values.push_back(value);
    }
  }
  return values;
}

}  // namespace

Ticks logarithmic_ticks(double least, double greatest, int most, const TickOptions& options) {
  ASSERT(std::isfinite(greatest) && 0 < least && least <= greatest, "a logarithmic axis has two positive ends");
  Ticks ticks{.values = around(least, greatest, {1, 2, 5})};
  if (std::cmp_greater(ticks.values.size(), most)) ticks.values = around(least, greatest, {1});
  if (options.inside) {
    std::erase_if(ticks.values,
                  [&](double value) { return value < least * (1 - 1e-9) || value > greatest * (1 + 1e-9); });
    if (ticks.values.size() < 2) return nice_ticks(least, greatest, most, options);
  } else if (ticks.values.size() == 1) {  // all values are the same round number
    ticks.values.push_back(10 * ticks.values.front());
  }
  for (const double value : ticks.values) ticks.labels.push_back(format_number(value, value, options.format));
  return ticks;
}

}  // namespace nunchi::draw
