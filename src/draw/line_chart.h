// draw/line_chart.h: curves over a common axis, such as loss and accuracy over the epochs of a training run.
//
//   LineChart chart{.title = "ViT on CIFAR-10", .x = {.title = "epoch"}, .y = {.title = "loss"}};
//   chart.second_y = {.title = "accuracy", .format = NumberFormat::percent};
//   chart.series.push_back({.name = "training loss", .x = epochs, .y = losses});
//   chart.series.push_back({.name = "accuracy", .x = epochs, .y = accuracies, .on_second_y = true});
//   write_drawing("curve.png", drawing(chart));                          // draw/drawing.h: or .svg, .pdf
#pragma once

#include "draw/axes.h"

namespace nunchi::draw {

struct Series {
  std::string name;
  std::vector<double> x, y;  // as many of each; a y that is no finite number interrupts the line
  bool on_second_y = false, dashed = false;
  bool joined = true;  // by a line; otherwise dots alone
  // Beside the points, where there is room: none, or one for each, which may be empty.
  std::vector<std::string> labels = {};
  std::vector<double> errors = {};  // none, or for each point how far a bar reaches up and down
  double dot_size = 4;              // radius, of points without a line
  std::optional<Color> color = {};  // without: series_color() of its place
};

struct LineChart {
  std::string title = {}, subtitle = {};
  Axis x = {}, y = {}, second_y = {};  // the second one, on the right, is there where a series is on it
  std::vector<Series> series = {};
  double width = 760, height = 440;  // points
};

// Asserts that every series has as many x as y, and that a logarithmic axis has positive values. A chart without a
// single finite point says so.
Drawing drawing(const LineChart& chart, const Theme& theme = light_theme);

// The same onto a part of a canvas, up to its edges.
void draw_line_chart(Canvas& canvas, const LineChart& chart, const Rectangle& place);

}  // namespace nunchi::draw
