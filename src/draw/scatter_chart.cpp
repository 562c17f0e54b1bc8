#include "draw/scatter_chart.h"

#include <algorithm>
#include <map>

#include "draw/color_map.h"
#include "draw/line_chart.h"

namespace nunchi::draw {
namespace {

// Room for the dots beside the outermost points; y has it by its ticks.
void add_room(LineChart& dots) {
  std::optional<Range> range;
  for (const Series& series : dots.series) {
    for (const double x : series.x) widen(range, x, dots.x);
  }
  if (!range || dots.x.logarithmic) return;
  const double room = 0.03 * (range->greatest - range->least);
  dots.x.least = std::min(dots.x.least.value_or(range->least - room), range->least - room);
  dots.x.greatest = std::max(dots.x.greatest.value_or(range->greatest + room), range->greatest + room);
}

// A line chart without lines, a series for each group.
LineChart as_line_chart(const ScatterChart& chart) {
  LineChart dots{.title = chart.title, .subtitle = chart.subtitle, .x = chart.x, .y = chart.y};
  std::map<std::size_t, Series> groups;
  for (const ScatterPoint& point : chart.points) {
    Series& series = groups[point.group];
    series.x.push_back(point.x);
    series.y.push_back(point.y);
    series.labels.push_back(point.label);
  }
  for (auto& [group, series] : groups) {
    series.name = group < chart.groups.size() ? chart.groups[group] : "";
    series.joined = false;
    series.dot_size = chart.dot_size;
    series.color = class_color(group);
    series.color->opacity = chart.opacity;
    dots.series.push_back(std::move(series));
  }
  add_room(dots);
  return dots;
}

}  // namespace

void draw_scatter_chart(Canvas& canvas, const ScatterChart& chart, const Rectangle& place) {
  draw_line_chart(canvas, as_line_chart(chart), place);
}

Drawing drawing(const ScatterChart& chart, const Theme& theme) {
  return chart_sheet({chart.width, chart.height}, theme,
                     [chart](Canvas& canvas, const Rectangle& place) { draw_scatter_chart(canvas, chart, place); });
}

}  // namespace nunchi::draw
