// draw/axes.h: what all charts share: the place that the words around leave, scales, grid, ticks and names.
//
//   const Rectangle rest = draw_chart_head(canvas, {.title = chart.title}, legend, place);
//   const Dimension x{.names = {"cat", "dog"}}, y{.axis = chart.y, .range = Range{0, 2.5}};
//   const Plot plot = draw_axes(canvas, rest, {.x = x, .y = y});
//   canvas.circle(plot.at(0, 1.5), 4, series_color(0));                  // above "cat"
#pragma once

#include <optional>

#include "draw/drawing.h"
#include "draw/ticks.h"
#include "draw/words.h"

namespace nunchi::draw {

struct Axis {
  std::string title = {};
  std::optional<double> least = {}, greatest = {};  // where the axis must reach at least; the values widen it
  NumberFormat format = NumberFormat::plain;
  bool whole_numbers = false;      // no ticks between them
  bool logarithmic = false;        // all values are positive
  std::vector<double> ticks = {};  // exactly here, instead of round numbers; of x only
};

struct Range {
  double least, greatest;
  bool logarithmic = false;

  double share(double value) const;  // 0 ... 1 between the ends
};

// So that the range holds the value too. Asserts that it is positive where the axis is logarithmic; a value that is no
// finite number changes nothing.
void widen(std::optional<Range>& range, double value, const Axis& axis);

// The range and the ends that the axis asks for; nothing stays nothing.
std::optional<Range> reached(std::optional<Range> range, const Axis& axis);

// What is measured in one direction: numbers, or names, of which names[i] stands at the value i.
struct Dimension {
  Axis axis = {};
  std::optional<Range> range = {};  // of the values
  std::vector<std::string> names = {};
  bool round_ends = false;  // of x: the axis ends at its outermost ticks, as that of y always does
};

struct Dimensions {
  Dimension x, y;
  std::optional<Dimension> second_y = {};  // on the right; without grid
};

struct Scale {
  Range range = {0, 1};
  Ticks ticks = {};
};

struct Plot {
  Rectangle place;
  Scale x, y;
  std::optional<Scale> second_y = {};

  Point at(double x_value, double y_value) const { return {across(x_value), up(y, y_value)}; }
  double across(double value) const { return place.x + place.width * x.range.share(value); }
  double up(const Scale& scale, double value) const { return place.bottom() - place.height * scale.range.share(value); }
};

// Titles, grid, ticks and their words, within `rest`. The plot is what they leave.
Plot draw_axes(Canvas& canvas, const Rectangle& rest, const Dimensions& dimensions);

// Title, subtitle and legend at the top of the place. Returns the rest of it.
Rectangle draw_chart_head(Canvas& canvas, const Head& head, std::span<const LegendEntry> legend,
                          const Rectangle& place);

// In the middle of a chart without a single value.
void say_that_nothing_is_there(Canvas& canvas, const Rectangle& place);

// A line with a short bar at both ends.
void draw_error_bar(Canvas& canvas, const Point& from, const Point& to, const Color& color);

// A sheet of one chart, which is drawn between the margins.
Drawing chart_sheet(const Size& size, const Theme& theme, std::function<void(Canvas&, const Rectangle&)> draw);

}  // namespace nunchi::draw
