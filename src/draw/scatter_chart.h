// draw/scatter_chart.h: points in a plane, coloured by what they are: pictures in the plane of two components.
//
//   ScatterChart chart{.title = "Embeddings", .x = {.title = "component 1"}, .y = {.title = "component 2"}};
//   chart.groups = {"cat", "dog"};
//   chart.points.push_back({.x = 0.3, .y = -1.2, .group = 1, .label = "rex.jpg"});
//   write_drawing("plane.svg", drawing(chart));
#pragma once

#include "draw/axes.h"

namespace nunchi::draw {

struct ScatterPoint {
  double x = 0, y = 0;  // one that is no finite number is left out
  std::size_t group = 0;
  std::string label = {};  // beside it, where there is room
};

struct ScatterChart {
  std::string title = {}, subtitle = {};
  Axis x = {}, y = {};
  std::vector<std::string> groups = {};  // names for the legend; the colour of a group is class_color() of its place
  std::vector<ScatterPoint> points = {};
  double dot_size = 4;               // radius
  double opacity = 0.85;             // of the points: where many lie it is darker
  double width = 640, height = 560;  // points
};

// A group without a name has no place in the legend.
Drawing drawing(const ScatterChart& chart, const Theme& theme = light_theme);

// The same onto a part of a canvas, up to its edges.
void draw_scatter_chart(Canvas& canvas, const ScatterChart& chart, const Rectangle& place);

}  // namespace nunchi::draw
