// draw/color_bar.h: what the colours of a heat map mean.
//
//   const ColorBar bar{.title = "attention", .colors = ColorMap::viridis, .least = 0, .greatest = 0.12};
//   y += draw_color_bar(canvas, bar, {x, y}, 200);                        // its height
#pragma once

#include "draw/color_map.h"
#include "draw/ticks.h"

namespace nunchi::draw {

struct ColorBar {
  std::string title = {};
  ColorMap colors = ColorMap::viridis;
  double least = 0, greatest = 1;
  NumberFormat format = NumberFormat::plain;
};

// From left to right, the title above, round numbers below, none of them beyond the ends.
double color_bar_height(Canvas& canvas, const ColorBar& bar, double width);
double draw_color_bar(Canvas& canvas, const ColorBar& bar, const Point& at, double width);

}  // namespace nunchi::draw
