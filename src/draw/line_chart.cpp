#include "draw/line_chart.h"

#include <algorithm>
#include <cmath>

#include "core/assert.h"

namespace nunchi::draw {
namespace {

constexpr double small_dot = 2.6, dot = 4;

bool is_point(const Series& series, std::size_t i) { return std::isfinite(series.x[i]) && std::isfinite(series.y[i]); }

enum class Side { x, y, second_y };

bool belongs(const Series& series, Side side) {
  return side == Side::x || series.on_second_y == (side == Side::second_y);
}

// From the least to the greatest value of the points on this axis; nothing where there is none.
std::optional<Range> range_of(const LineChart& chart, Side side, const Axis& axis) {
  std::optional<Range> range;
  for (const Series& series : chart.series) {
    if (!belongs(series, side)) continue;
    for (std::size_t i = 0; i < series.x.size(); ++i) {
      if (!is_point(series, i)) continue;
      const double value = side == Side::x ? series.x[i] : series.y[i];
      widen(range, value, axis);
      if (side == Side::x || series.errors.empty()) continue;
      widen(range, value + series.errors[i], axis);
      if (!axis.logarithmic || value > series.errors[i]) widen(range, value - series.errors[i], axis);
    }
  }
  return reached(range, axis);
}

// Where a point of a series is.
Point at(const Plot& plot, const Series& series, std::size_t i) {
  return {plot.across(series.x[i]), plot.up(series.on_second_y ? *plot.second_y : plot.y, series.y[i])};
}

Color color_of_series(const LineChart& chart, std::size_t index) {
  return chart.series[index].color.value_or(series_color(index));
}

std::vector<LegendEntry> legend_of(const LineChart& chart) {
  std::vector<LegendEntry> entries;
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    const Series& series = chart.series[i];
    Color color = color_of_series(chart, i);
    color.opacity = 1;  // where many dots lie they are, too
    entries.push_back({series.name, color, !series.joined ? Mark::dot : series.dashed ? Mark::dashes : Mark::line});
  }
  return entries;
}

void draw_errors(Canvas& canvas, const Plot& plot, const Series& series, const Color& color) {
  const Scale& scale = series.on_second_y ? *plot.second_y : plot.y;
  for (std::size_t i = 0; i < series.errors.size(); ++i) {
    if (!is_point(series, i) || !std::isfinite(series.errors[i])) continue;
    const double x = plot.across(series.x[i]), least = series.y[i] - series.errors[i];
    // Down to the axis where the logarithm of the lower end does not exist.
    const double low = scale.range.logarithmic && least <= 0 ? scale.range.least : least;
    draw_error_bar(canvas, {x, plot.up(scale, low)}, {x, plot.up(scale, series.y[i] + series.errors[i])}, color);
  }
}

void draw_series(Canvas& canvas, const Plot& plot, const Series& series, const Color& color) {
  constexpr std::size_t few = 40;
  const bool dots = !series.joined || series.x.size() <= few;
  std::vector<Point> points;
  const auto finish = [&] {
    if (points.size() == 1 || dots) {
      for (const Point& point : points) canvas.circle(point, series.joined ? small_dot : series.dot_size, color);
    }
    if (series.joined && points.size() > 1) canvas.line(points, {.color = color, .width = 2, .dashed = series.dashed});
    points.clear();
  };
  for (std::size_t i = 0; i < series.x.size(); ++i) {
    if (is_point(series, i))
      points.push_back(at(plot, series, i));
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
    const Point end = at(plot, series, i);
    taken.push_back(around(end, dot));
    if (!series.joined || i == 0 || !is_point(series, i - 1)) continue;
    const Point begin = at(plot, series, i - 1);
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
      const auto place = free_place(at(plot, series, i), canvas.measure(series.labels[i], small_style(canvas.theme())),
                                    plot.place, taken);
      if (!place) continue;
      canvas.text(series.labels[i], {place->x, place->y}, small_style(canvas.theme()));
      taken.push_back(*place);
    }
  }
}

Dimensions dimensions_of(const LineChart& chart) {
  Dimensions all{.x = {.axis = chart.x, .range = range_of(chart, Side::x, chart.x)},
                 .y = {.axis = chart.y, .range = range_of(chart, Side::y, chart.y)}};
  if (const auto second = range_of(chart, Side::second_y, chart.second_y))
    all.second_y = Dimension{.axis = chart.second_y, .range = second};
  return all;
}

}  // namespace

void draw_line_chart(Canvas& canvas, const LineChart& chart, const Rectangle& place) {
  for (const Series& series : chart.series) {
    ASSERT(series.x.size() == series.y.size(), "each point has x and y");
    ASSERT(series.errors.empty() || series.errors.size() == series.x.size(), "each point has an error, or none has");
    ASSERT(series.labels.empty() || series.labels.size() == series.x.size(), "each point has a label, or none has");
  }
  const auto dimensions = dimensions_of(chart);
  const auto rest = draw_chart_head(canvas, {chart.title, chart.subtitle}, legend_of(chart), place);
  if (!dimensions.x.range) return say_that_nothing_is_there(canvas, rest);
  const Plot plot = draw_axes(canvas, rest, dimensions);
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    draw_errors(canvas, plot, chart.series[i], color_of_series(chart, i));
    draw_series(canvas, plot, chart.series[i], color_of_series(chart, i));
  }
  draw_point_labels(canvas, chart, plot);
}

Drawing drawing(const LineChart& chart, const Theme& theme) {
  return chart_sheet({chart.width, chart.height}, theme,
                     [chart](Canvas& canvas, const Rectangle& place) { draw_line_chart(canvas, chart, place); });
}

}  // namespace nunchi::draw
