// draw/line_chart.h: curves over a common axis, such as loss and accuracy over the epochs of a training run.
//
//   LineChart chart{.title = "ViT on CIFAR-10", .x = {.title = "epoch"}, .y = {.title = "loss"}};
//   chart.second_y = {.title = "accuracy", .format = NumberFormat::percent};
//   chart.series.push_back({.name = "training loss", .x = epochs, .y = losses});
//   chart.series.push_back({.name = "accuracy", .x = epochs, .y = accuracies, .on_second_y = true});
//   write_file("curve.png", line_chart(chart));                          // core/file.h
#pragma once

#include <optional>

#include "draw/canvas.h"
#include "draw/ticks.h"

namespace nunchi::draw {

struct Axis {
  std::string title = {};
  std::optional<double> least = {}, greatest = {};  // where the axis must reach at least; the values widen it
  NumberFormat format = NumberFormat::plain;
  bool whole_numbers = false;      // no ticks between them
  bool logarithmic = false;        // all values are positive
  std::vector<double> ticks = {};  // exactly here, instead of round numbers; of x only
};

struct Series {
  std::string name;
  std::vector<double> x, y;  // as many of each; a y that is no finite number interrupts the line
  bool on_second_y = false, dashed = false;
  bool joined = true;  // by a line; otherwise dots alone
  // Beside the points, where there is room: none, or one for each, which may be empty.
  std::vector<std::string> labels = {};
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
std::vector<std::byte> line_chart(const LineChart& chart);  // PNG, two pixels for each point
std::string line_chart_svg(const LineChart& chart);

// The same onto a part of a canvas.
void draw_line_chart(Canvas& canvas, const LineChart& chart, const Rectangle& place);

}  // namespace nunchi::draw
