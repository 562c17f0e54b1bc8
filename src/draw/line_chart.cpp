#include "draw/line_chart.h"

#include <algorithm>
#include <cmath>

#include "core/assert.h"

namespace nunchi::draw {
namespace {

constexpr double margin = 18, gap = 8, swatch = 22, tick_size = 11, small_dot = 2.6, dot = 4;
constexpr TextStyle title_style = {.size = 16, .bold = true}, quiet_style = {.size = 12, .color = quiet_ink};
constexpr TextStyle tick_style = {.size = tick_size, .color = quiet_ink}, legend_style = {.size = 12};

struct Range {
  double least, greatest;
  bool logarithmic = false;

  double share(double value) const {
    return logarithmic ? std::log(value / least) / std::log(greatest / least) : (value - least) / (greatest - least);
  }
};

bool is_point(const Series& series, std::size_t i) { return std::isfinite(series.x[i]) && std::isfinite(series.y[i]); }

enum class Side { x, y, second_y };

bool belongs(const Series& series, Side side) {
  return side == Side::x || series.on_second_y == (side == Side::second_y);
}

// From the least to the greatest value of the points on this axis; nothing where there is none.
std::optional<Range> range_of(const LineChart& chart, Side side, const Axis& axis) {
  std::optional<Range> range;
  const auto widen = [&](double value) {
    ASSERT(!axis.logarithmic || value > 0, "a logarithmic axis has positive values");
    range = range ? Range{std::min(range->least, value), std::max(range->greatest, value), axis.logarithmic}
                  : Range{value, value, axis.logarithmic};
  };
  for (const Series& series : chart.series) {
    if (!belongs(series, side)) continue;
    for (std::size_t i = 0; i < series.x.size(); ++i) {
      if (is_point(series, i)) widen(side == Side::x ? series.x[i] : series.y[i]);
    }
  }
  if (!range) return range;
  if (axis.least) widen(*axis.least);
  if (axis.greatest) widen(*axis.greatest);
  return range;
}

// An axis with its ticks: those of y make its ends, those of x lie between them.
struct Scale {
  Range range;
  Ticks ticks;
};

Scale vertical_scale(const Range& range, const Axis& axis, double height) {
  const int most = std::clamp(static_cast<int>(height / 36), 3, 8);
  const auto round = axis.logarithmic ? logarithmic_ticks : nice_ticks;
  auto ticks = round(range.least, range.greatest, most, {axis.format, false, axis.whole_numbers});
  const Range ends = {ticks.values.front(), ticks.values.back(), axis.logarithmic};
  return {ends, std::move(ticks)};
}

double widest(Canvas& canvas, const std::vector<std::string>& labels) {
  double width = 0;
  for (const auto& label : labels) width = std::max(width, canvas.measure(label, tick_style).width);
  return width;
}

Ticks labelled(const std::vector<double>& values, NumberFormat format) {
  Ticks ticks{.values = values, .labels = {}};
  for (const double value : values) ticks.labels.push_back(format_number(value, value, format));
  return ticks;
}

Range widened(const Range& range) {
  if (range.least != range.greatest) return range;
  if (range.logarithmic) return {range.least / 2, range.greatest * 2, true};
  return {range.least - 0.5, range.greatest + 0.5};
}

// As many ticks as their labels leave room for.
Scale horizontal_scale(Canvas& canvas, const Range& values, const Axis& axis, double width) {
  const Range range = widened(values);
  if (!axis.ticks.empty()) return {range, labelled(axis.ticks, axis.format)};
  const auto round = axis.logarithmic ? logarithmic_ticks : nice_ticks;
  for (int most = 12;; --most) {
    auto ticks = round(range.least, range.greatest, most, {axis.format, true, axis.whole_numbers});
    const double needed = static_cast<double>(ticks.labels.size()) * (widest(canvas, ticks.labels) + 2 * gap);
    if (needed <= width || most == 2) return {range, std::move(ticks)};
  }
}

// Where the lines go, and what they are measured by.
struct Plot {
  Rectangle place;
  Scale x, y;
  std::optional<Scale> second_y;

  const Scale& vertical(const Series& series) const { return series.on_second_y ? *second_y : y; }
  Point at(const Series& series, std::size_t i) const {
    return {place.x + place.width * x.range.share(series.x[i]),
            place.bottom() - place.height * vertical(series).range.share(series.y[i])};
  }
};

TextStyle within(TextStyle style, double width) {
  style.most_width = std::max(width, 1.0);
  return style;
}

Color color_of_series(const LineChart& chart, std::size_t index) {
  return chart.series[index].color.value_or(series_color(index));
}

void draw_swatch(Canvas& canvas, const Series& series, const Color& color, const Point& left) {
  if (!series.joined) return canvas.circle({left.x + swatch / 2, left.y}, dot, color);
  canvas.line(left, {left.x + swatch, left.y},
              {.color = color, .width = series.dashed ? 2.0 : 3.0, .dashed = series.dashed});
}

// Title, subtitle and legend. Returns where the rest begins.
double draw_head(Canvas& canvas, const LineChart& chart, const Rectangle& place) {
  double y = place.y;
  if (!chart.title.empty()) y += canvas.text(chart.title, {place.x, y}, within(title_style, place.width)).height + 2;
  if (!chart.subtitle.empty()) {
    auto style = within(quiet_style, place.width);
    style.several_lines = true;
    y += canvas.text(chart.subtitle, {place.x, y}, style).height;
  }
  if (y > place.y) y += gap;
  double x = place.x, row_height = 0;
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    if (chart.series[i].name.empty()) continue;
    const auto style = within(legend_style, place.width - swatch - gap);
    const Size size = canvas.measure(chart.series[i].name, style);
    const double width = swatch + 6 + size.width;
    if (x > place.x && x + width > place.right()) {
      x = place.x;
      y += size.height + 4;
    }
    const double middle = y + size.height / 2;
    draw_swatch(canvas, chart.series[i], color_of_series(chart, i), {x, middle});
    canvas.text(chart.series[i].name, {x + swatch + 6, y}, style);
    x += width + 2 * gap;
    row_height = size.height;
  }
  return row_height > 0 ? y + row_height + gap + 4 : y;
}

// The titles of the upright axes stand above them, to be read without turning one's head.
double draw_axis_titles(Canvas& canvas, const LineChart& chart, const Rectangle& place, bool has_second) {
  if (chart.y.title.empty() && (!has_second || chart.second_y.title.empty())) return place.y + gap;
  const auto style = within(quiet_style, has_second ? place.width / 2 - gap : place.width);
  double height = canvas.text(chart.y.title, {place.x, place.y}, style).height;
  if (has_second) {
    auto right = style;
    right.align = Align::right;
    height = std::max(height, canvas.text(chart.second_y.title, {place.right(), place.y}, right).height);
  }
  return place.y + height + gap;
}

void draw_upright_labels(Canvas& canvas, const Plot& plot, const Scale& scale, double x, Align align) {
  for (std::size_t i = 0; i < scale.ticks.values.size(); ++i) {
    auto style = tick_style;
    style.align = align;
    const double y = plot.place.bottom() - plot.place.height * scale.range.share(scale.ticks.values[i]);
    if (align == Align::left)
      canvas.line({x - gap, y}, {x - gap / 2, y}, {.color = quiet_ink});  // grid lines are the other's
    canvas.text(scale.ticks.labels[i], {x, y - canvas.measure(scale.ticks.labels[i], style).height / 2}, style);
  }
}

void draw_axes(Canvas& canvas, const LineChart& chart, const Plot& plot) {
  const Rectangle& place = plot.place;
  for (const double value : plot.y.ticks.values) {
    const double y = place.bottom() - place.height * plot.y.range.share(value);
    canvas.line({place.x, y}, {place.right(), y}, {.color = grid_line});
  }
  draw_upright_labels(canvas, plot, plot.y, place.x - gap, Align::right);
  if (plot.second_y) draw_upright_labels(canvas, plot, *plot.second_y, place.right() + gap, Align::left);
  canvas.line({place.x, place.bottom()}, {place.right(), place.bottom()}, {.color = quiet_ink});
  double below = place.bottom() + 4;
  for (std::size_t i = 0; i < plot.x.ticks.values.size(); ++i) {
    const double x = place.x + place.width * plot.x.range.share(plot.x.ticks.values[i]);
    canvas.line({x, place.bottom()}, {x, place.bottom() + 4}, {.color = quiet_ink});
    auto style = tick_style;
    style.align = Align::center;
    below = place.bottom() + 6 + canvas.text(plot.x.ticks.labels[i], {x, place.bottom() + 6}, style).height;
  }
  auto style = within(quiet_style, place.width);
  style.align = Align::center;
  canvas.text(chart.x.title, {place.x + place.width / 2, below + 2}, style);
}

void draw_series(Canvas& canvas, const Plot& plot, const Series& series, const Color& color) {
  constexpr std::size_t few = 40;
  const bool dots = !series.joined || series.x.size() <= few;
  std::vector<Point> points;
  const auto finish = [&] {
    if (points.size() == 1 || dots) {
      for (const Point& point : points) canvas.circle(point, series.joined ? small_dot : dot, color);
    }
    if (series.joined && points.size() > 1) canvas.line(points, {.color = color, .width = 2, .dashed = series.dashed});
    points.clear();
  };
  for (std::size_t i = 0; i < series.x.size(); ++i) {
    if (is_point(series, i))
      points.push_back(plot.at(series, i));
    else
      finish();
  }
  finish();
}

bool overlap(const Rectangle& a, const Rectangle& b) {
  return a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom();
}

Rectangle around(const Point& point, double radius) {
  return {point.x - radius, point.y - radius, 2 * radius, 2 * radius};
}

// Above the point, or where else beside it nothing stands yet; nothing where everything does.
std::optional<Rectangle> free_place(const Point& point, const Size& size, const Rectangle& room,
                                    const std::vector<Rectangle>& taken) {
  const double above = point.y - dot - 2 - size.height, below = point.y + dot + 2, middle = point.y - size.height / 2;
  const double right = point.x + dot + 4, left = point.x - dot - 4 - size.width, center = point.x - size.width / 2;
  for (const auto& corner : {Point{center, above}, Point{right, middle}, Point{left, middle}, Point{center, below},
                             Point{right, above}, Point{left, above}, Point{right, below}, Point{left, below}}) {
    const Rectangle place = {corner.x, corner.y, size.width, size.height};
    const bool inside =
        place.x >= room.x && place.right() <= room.right() && place.y >= room.y && place.bottom() <= room.bottom();
    const auto hits = [&](const Rectangle& other) { return overlap(place, other); };
    if (inside && std::ranges::none_of(taken, hits)) return place;
  }
  return std::nullopt;
}

// The points, and beads along the lines between them.
void add_drawn(std::vector<Rectangle>& taken, const Series& series, const Plot& plot) {
  constexpr double bead = 2;
  for (std::size_t i = 0; i < series.x.size(); ++i) {
    if (!is_point(series, i)) continue;
    const Point end = plot.at(series, i);
    taken.push_back(around(end, dot));
    if (!series.joined || i == 0 || !is_point(series, i - 1)) continue;
    const Point begin = plot.at(series, i - 1);
    const double steps = std::ceil(std::hypot(end.x - begin.x, end.y - begin.y) / (2 * bead));
    for (double step = 1; step < steps; ++step) {
      const double share = step / steps;
      taken.push_back(around({begin.x + share * (end.x - begin.x), begin.y + share * (end.y - begin.y)}, bead));
    }
  }
}

void draw_point_labels(Canvas& canvas, const LineChart& chart, const Plot& plot) {
  std::vector<Rectangle> taken;
  for (const Series& series : chart.series) add_drawn(taken, series, plot);
  for (const Series& series : chart.series) {
    for (std::size_t i = 0; i < series.labels.size(); ++i) {
      if (!is_point(series, i) || series.labels[i].empty()) continue;
      const auto place =
          free_place(plot.at(series, i), canvas.measure(series.labels[i], tick_style), plot.place, taken);
      if (!place) continue;
      canvas.text(series.labels[i], {place->x, place->y}, tick_style);
      taken.push_back(*place);
    }
  }
}

void say_that_nothing_is_there(Canvas& canvas, const Rectangle& place) {
  auto style = quiet_style;
  style.align = Align::center;
  canvas.text("no values yet", {place.x + place.width / 2, place.y + place.height / 2}, style);
}

// The place of the lines is what the labels around it leave.
Plot lay_out(Canvas& canvas, const LineChart& chart, const Rectangle& rest, const Range& x) {
  const auto first = range_of(chart, Side::y, chart.y), second = range_of(chart, Side::second_y, chart.second_y);
  const double text = canvas.measure("0", tick_style).height;
  const double below = 6 + text + (chart.x.title.empty() ? 0 : 2 + canvas.measure(chart.x.title, quiet_style).height);
  Plot plot{.place = {rest.x, rest.y + text / 2, rest.width, std::max(rest.height - text / 2 - below, 20.0)}};
  plot.y = vertical_scale(first.value_or(Range{0, 1}), chart.y, plot.place.height);
  if (!first) plot.y.ticks = {};  // every series is on the other side
  if (second) plot.second_y = vertical_scale(*second, chart.second_y, plot.place.height);
  const double left = plot.y.ticks.labels.empty() ? 0 : widest(canvas, plot.y.ticks.labels) + gap;
  const double right = plot.second_y ? widest(canvas, plot.second_y->ticks.labels) + gap : 0;
  plot.place.width = std::max(plot.place.width - left - right, 20.0);
  plot.place.x += left;
  plot.x = horizontal_scale(canvas, x, chart.x, plot.place.width);
  // The first and the last label reach out by half of their width.
  const double half = widest(canvas, plot.x.ticks.labels) / 2;
  const double more_left = std::max(0.0, half - left), more_right = std::max(0.0, half - right);
  plot.place.x += more_left;
  plot.place.width = std::max(plot.place.width - more_left - more_right, 20.0);
  return plot;
}

Rectangle whole(const LineChart& chart) { return {0, 0, chart.width, chart.height}; }

}  // namespace

void draw_line_chart(Canvas& canvas, const LineChart& chart, const Rectangle& place) {
  for (const Series& series : chart.series) {
    ASSERT(series.x.size() == series.y.size(), "each point has x and y");
    ASSERT(series.labels.empty() || series.labels.size() == series.x.size(), "each point has a label, or none has");
  }
  const Rectangle inside = {place.x + margin, place.y + margin, place.width - 2 * margin, place.height - 2 * margin};
  const auto x = range_of(chart, Side::x, chart.x);
  const double below_head = draw_head(canvas, chart, inside);
  Rectangle rest = {inside.x, below_head, inside.width, inside.bottom() - below_head};
  if (!x) return say_that_nothing_is_there(canvas, rest);
  const bool has_second = range_of(chart, Side::second_y, chart.second_y).has_value();
  rest.y = draw_axis_titles(canvas, chart, rest, has_second);
  rest.height = inside.bottom() - rest.y;
  const Plot plot = lay_out(canvas, chart, rest, *x);
  draw_axes(canvas, chart, plot);
  for (std::size_t i = 0; i < chart.series.size(); ++i)
    draw_series(canvas, plot, chart.series[i], color_of_series(chart, i));
  draw_point_labels(canvas, chart, plot);
}

std::vector<std::byte> line_chart(const LineChart& chart) {
  Canvas canvas(chart.width, chart.height);
  draw_line_chart(canvas, chart, whole(chart));
  return canvas.png();
}

std::string line_chart_svg(const LineChart& chart) {
  Canvas canvas(chart.width, chart.height, {.vector = true});
  draw_line_chart(canvas, chart, whole(chart));
  return canvas.svg();
}

}  // namespace nunchi::draw
