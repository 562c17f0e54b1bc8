// draw/bar_chart.h: numbers of named things side by side: times of models, probabilities of classes.
//
//   BarChart chart{.title = "Model Performance Comparison", .names = {"vit-tiny", "swin-tiny"}, .horizontal = true};
//   chart.values = {.title = "Response Time (s)"};
//   chart.series.push_back({.name = "fp32", .values = {0.021, 0.034}, .errors = {0.001, 0.002}});
//   chart.series.push_back({.name = "int8", .values = {0.009, 0.016}});
//   write_drawing("times.svg", drawing(chart));
#pragma once

#include "draw/axes.h"

namespace nunchi::draw {

// One colour; a bar for each name.
struct Bars {
  std::string name;
  std::vector<double> values;            // one for each name of the chart; what is no finite number has no bar
  std::vector<double> errors = {};       // none, or how far a line reaches to both sides of each value
  std::vector<std::string> labels = {};  // beside the bars, instead of their values; none, or one for each
  std::optional<Color> color = {};       // without: series_color() of its place
};

struct BarChart {
  std::string title = {}, subtitle = {};
  std::vector<std::string> names = {};
  Axis values = {};  // from 0, unless it is logarithmic
  std::vector<Bars> series = {};
  bool horizontal = false;
  bool value_labels = true;                     // where they fit
  std::optional<std::size_t> highlighted = {};  // of the names; all others are pale
  double width = 760, height = 440;             // points
};

// Asserts that every series has as many values as there are names. A chart without a single finite value says so.
Drawing drawing(const BarChart& chart, const Theme& theme = light_theme);

// The same onto a part of a canvas, up to its edges.
void draw_bar_chart(Canvas& canvas, const BarChart& chart, const Rectangle& place);

}  // namespace nunchi::draw
