// draw/ticks.h: round numbers along an axis.
//
//   const Ticks ticks = nice_ticks(0.13, 2.31, 6);     // 0, 0.5, 1 ... 2.5, with labels "0.0", "0.5" ...
#pragma once

#include <string>
#include <vector>

namespace nunchi::draw {

enum class NumberFormat { plain, percent };  // percent: 0.5 is "50 %"

struct TickOptions {
  NumberFormat format = NumberFormat::plain;
  bool inside = false;         // only ticks between the ends; otherwise the outer ones enclose both
  bool whole_numbers = false;  // no step below 1
};

struct Ticks {
  std::vector<double> values;  // ascending, at least one
  std::vector<std::string> labels;
};

// Steps of 1, 2 or 5 times a power of ten, the smallest that needs at most `most` ticks (2 or more; one or two more
// where the ends are enclosed). Asserts that the ends are finite and in order.
Ticks nice_ticks(double least, double greatest, int most, const TickOptions& options = {});

// 1, 2 and 5 times powers of ten, or the powers alone where those are more than `most`. Asserts that the ends are
// positive, finite and in order.
Ticks logarithmic_ticks(double least, double greatest, int most, const TickOptions& options = {});

// With as many decimals as numbers `step` apart need: "20,000", "0.25", "1e-06", "25 %".
std::string format_number(double value, double step, NumberFormat format = NumberFormat::plain);

}  // namespace nunchi::draw
