// draw/box_plot.h: how values are spread, one box for each name: latencies, norms of weights, scores of runs.
//
//   BoxPlot plot{.title = "Latency", .values = {.title = "ms", .logarithmic = true}};
//   plot.boxes.push_back(box_of("vit-tiny", seconds));
//   write_drawing("latency.png", drawing(plot));
#pragma once

#include "draw/axes.h"

namespace nunchi::draw {

struct Box {
  std::string name;
  double lower = 0, median = 0, upper = 0;  // quartiles
  double least = 0, greatest = 0;           // ends of the whiskers
  std::vector<double> beyond = {};          // values outside them, drawn as dots
  std::optional<Color> color = {};          // without: series_color() of its place
};

// Tukey's: the whiskers reach to the last values within 1.5 times the height of the box. Quartiles are interpolated
// linearly between the sorted values (type 7 of Hyndman and Fan 1996). Values that are no finite number are left out.
// Asserts that there is one that is.
Box box_of(const std::string& name, std::span<const double> values);

struct BoxPlot {
  std::string title = {}, subtitle = {};
  Axis values = {};
  std::vector<Box> boxes = {};
  double width = 760, height = 440;  // points
};

Drawing drawing(const BoxPlot& plot, const Theme& theme = light_theme);

// The same onto a part of a canvas, up to its edges.
void draw_box_plot(Canvas& canvas, const BoxPlot& plot, const Rectangle& place);

}  // namespace nunchi::draw
