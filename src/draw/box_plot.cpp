#include "draw/box_plot.h"

#include <algorithm>
#include <cmath>

#include "core/assert.h"

namespace nunchi::draw {
namespace {

constexpr double share_of_slot = 0.5, most_width = 72, dot = 2.4;

double quantile(const std::vector<double>& sorted, double share) {
  const double position = share * static_cast<double>(sorted.size() - 1);
  const auto first = static_cast<std::size_t>(position);
  const double next = sorted[std::min(first + 1, sorted.size() - 1)];
  return std::lerp(sorted[first], next, position - static_cast<double>(first));
}

std::optional<Range> range_of(const BoxPlot& plot) {
  std::optional<Range> range;
  for (const Box& box : plot.boxes) {
    widen(range, box.least, plot.values);
    widen(range, box.greatest, plot.values);
    for (const double value : box.beyond) widen(range, value, plot.values);
  }
  return reached(range, plot.values);
}

void draw_box(Canvas& canvas, const Plot& plot, const Box& box, double x, double width, const Color& color) {
  const auto up = [&](double value) { return plot.up(plot.y, value); };
  Color pale = color;
  pale.opacity = 0.3;
  draw_error_bar(canvas, {x, up(box.least)}, {x, up(box.greatest)}, color);
  const Rectangle place = {x - width / 2, up(box.upper), width, up(box.lower) - up(box.upper)};
  canvas.fill(place, canvas.theme().paper, 2);
  canvas.fill(place, pale, 2);
  canvas.outline(place, {.color = color, .width = 1.2}, 2);
  canvas.line({place.x, up(box.median)}, {place.right(), up(box.median)}, {.color = color, .width = 2.4});
  for (const double value : box.beyond) canvas.circle({x, up(value)}, dot, color);
}

}  // namespace

Box box_of(const std::string& name, std::span<const double> values) {
  std::vector<double> sorted;
  std::ranges::copy_if(values, std::back_inserter(sorted), [](double value) { return std::isfinite(value); });
  ASSERT(!sorted.empty(), "a box has a value");
  std::ranges::sort(sorted);
  Box box{
      .name = name, .lower = quantile(sorted, 0.25), .median = quantile(sorted, 0.5), .upper = quantile(sorted, 0.75)};
  const double reach = 1.5 * (box.upper - box.lower);
  const auto first = std::ranges::lower_bound(sorted, box.lower - reach);
  const auto last = std::ranges::upper_bound(sorted, box.upper + reach);
  box.least = *first;
  box.greatest = *std::prev(last);
  box.beyond.assign(sorted.begin(), first);
  box.beyond.insert(box.beyond.end(), last, sorted.end());
  return box;
}

void draw_box_plot(Canvas& canvas, const BoxPlot& plot, const Rectangle& place) {
  const auto rest = draw_chart_head(canvas, {plot.title, plot.subtitle}, {}, place);
  const auto range = range_of(plot);
  if (!range) return say_that_nothing_is_there(canvas, rest);
  Dimension names;
  for (const Box& box : plot.boxes) names.names.push_back(box.name);
  const Plot axes = draw_axes(canvas, rest, {.x = names, .y = {.axis = plot.values, .range = range}});
  const double slot = axes.place.width / static_cast<double>(plot.boxes.size());
  for (std::size_t i = 0; i < plot.boxes.size(); ++i) {
    draw_box(canvas, axes, plot.boxes[i], axes.across(static_cast<double>(i)),
             std::min(share_of_slot * slot, most_width), plot.boxes[i].color.value_or(series_color(i)));
  }
}

Drawing drawing(const BoxPlot& plot, const Theme& theme) {
  return chart_sheet({plot.width, plot.height}, theme,
                     [plot](Canvas& canvas, const Rectangle& place) { draw_box_plot(canvas, plot, place); });
}

}  // namespace nunchi::draw
