#include "draw/color_bar.h"

#include <algorithm>
#include <numeric>

#include "draw/overlay.h"
#include "draw/words.h"

namespace nunchi::draw {
namespace {

constexpr double thickness = 10, tick_length = 3, gap = 8;

TextStyle bar_title(Canvas& canvas, double width) { return lines_within(small_style(canvas.theme()), width, 2); }

double place_of(double value, const ColorBar& bar, double width) {
  const double range = bar.greatest > bar.least ? bar.greatest - bar.least : 1;
  return width * (value - bar.least) / range;
}

// Under its value, but within the bar.
double left_of(Canvas& canvas, const std::string& label, double place, double width) {
  const double own = canvas.measure(label, small_style(canvas.theme())).width;
  return std::max(0.0, std::min(place - own / 2, width - own));
}

bool stand_side_by_side(Canvas& canvas, const Ticks& ticks, const ColorBar& bar, double width) {
  double free = -gap;
  for (std::size_t i = 0; i < ticks.values.size(); ++i) {
    const double left = left_of(canvas, ticks.labels[i], place_of(ticks.values[i], bar, width), width);
    if (left < free + gap) return false;
    free = left + canvas.measure(ticks.labels[i], small_style(canvas.theme())).width;
  }
  return true;
}

Ticks ticks_of(Canvas& canvas, const ColorBar& bar, double width) {
  if (bar.greatest <= bar.least) return {{bar.least}, {format_number(bar.least, 0.01, bar.format)}};
  for (int most = 7;; --most) {
    auto ticks = nice_ticks(bar.least, bar.greatest, most, {.format = bar.format, .inside = true});
    if (most == 2 || stand_side_by_side(canvas, ticks, bar, width)) return ticks;
  }
}

void draw_colors(Canvas& canvas, const ColorBar& bar, const Rectangle& place) {
  HeatMap ramp{.rows = 1, .columns = 256, .values = std::vector<float>(256)};
  std::iota(ramp.values.begin(), ramp.values.end(), 0.0F);
  canvas.begin_clip(place, 3);
  canvas.picture(heat_picture(ramp, ramp.columns, ramp.rows, {.colors = bar.colors}), place, Scaling::pixels);
  canvas.end_clip();
}

}  // namespace

double color_bar_height(Canvas& canvas, const ColorBar& bar, double width) {
  return height_of(canvas, bar.title, bar_title(canvas, width)) + (bar.title.empty() ? 0 : 3) + thickness +
         tick_length + 1 + canvas.measure("0", small_style(canvas.theme())).height;
}

double draw_color_bar(Canvas& canvas, const ColorBar& bar, const Point& at, double width) {
  double y = at.y;
  if (!bar.title.empty()) y += canvas.text(bar.title, {at.x, y}, bar_title(canvas, width)).height + 3;
  draw_colors(canvas, bar, {at.x, y, width, thickness});
  const auto ticks = ticks_of(canvas, bar, width);
  const auto style = within(small_style(canvas.theme()), width);
  for (std::size_t i = 0; i < ticks.values.size(); ++i) {
    const double place = place_of(ticks.values[i], bar, width), x = at.x + place;
    canvas.line({x, y + thickness}, {x, y + thickness + tick_length}, {.color = canvas.theme().quiet_ink});
    const double left = at.x + left_of(canvas, ticks.labels[i], place, width);
    canvas.text(ticks.labels[i], {left, y + thickness + tick_length + 1}, style);
  }
  return color_bar_height(canvas, bar, width);
}

}  // namespace nunchi::draw
