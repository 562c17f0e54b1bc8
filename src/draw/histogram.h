// draw/histogram.h: how often which values occur, of one or several things over each other.
//
//   auto weights = empty_histogram("all weights", -0.2, 0.2, 50);
//   for (const auto& tensor : tensors) count(weights, tensor);                // nothing is copied
//   const HistogramChart chart{.title = "Weights", .x = {.title = "value"}, .y = {.title = "count"}, .series =
//   {weights}}; write_drawing("weights.png", drawing(chart));
#pragma once

#include "draw/axes.h"

namespace nunchi::draw {

struct Histogram {
  std::string name;
  double least = 0, greatest = 1;
  std::vector<double> counts;       // of bins of the same width from `least` to `greatest`
  double outside = 0;               // values beyond the ends, and what is no number
  std::optional<Color> color = {};  // without: series_color() of its place
};

// Asserts that there is a bin and that the ends are in order.
Histogram empty_histogram(const std::string& name, double least, double greatest, std::size_t bins);

// Both ends belong to their bins; every value is counted once, in a bin or outside.
void count(Histogram& histogram, std::span<const float> values);

struct HistogramChart {
  std::string title = {}, subtitle = {};
  Axis x = {}, y = {};  // y from 0, unless it is logarithmic
  std::vector<Histogram> series = {};
  double opacity = 0.7;              // of several; a single one is opaque
  double width = 760, height = 440;  // points
};

Drawing drawing(const HistogramChart& chart, const Theme& theme = light_theme);

// The same onto a part of a canvas, up to its edges.
void draw_histogram(Canvas& canvas, const HistogramChart& chart, const Rectangle& place);

}  // namespace nunchi::draw
