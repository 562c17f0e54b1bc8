#include "draw/bar_chart.h"

#include <algorithm>
#include <cmath>

#include "core/assert.h"
#include "draw/color_map.h"

namespace nunchi::draw {
namespace {

constexpr double share_of_slot = 0.76, most_thickness = 56, label_gap = 3, pale = 0.35;

struct Bar {
  Rectangle place;
  Point low, high;  // ends of its error line
  Color color;
};

// Three figures of the greatest value, and as many decimals for all the others; whole numbers have none. Where every
// factor has the same room each value has its own three figures.
double label_step(const BarChart& chart, double value) {
  double greatest = chart.values.logarithmic ? std::abs(value) : 0;
  bool whole = chart.values.format == NumberFormat::plain;
  for (const Bars& series : chart.series) {
    for (const double other : series.values) {
      if (!std::isfinite(other)) continue;
      whole = whole && other == std::round(other);
      if (!chart.values.logarithmic) greatest = std::max(greatest, std::abs(other));
    }
  }
  return whole || greatest == 0 ? 1 : std::pow(10.0, std::floor(std::log10(greatest)) - 2);
}

class BarPlot {
 public:
  BarPlot(const BarChart& chart, const Plot& plot) : chart_(chart), plot_(plot) {
    const Rectangle& place = plot.place;
    const double slot = (chart.horizontal ? place.height : place.width) / static_cast<double>(chart.names.size());
    thickness_ = std::min(share_of_slot * slot / static_cast<double>(chart.series.size()), most_thickness);
  }

  // Nothing where there is no value.
  std::optional<Bar> bar(std::size_t series, std::size_t name) const {
    const double value = chart_.series[series].values[name];
    if (!std::isfinite(value)) return std::nullopt;
    const auto& errors = chart_.series[series].errors;
    const double error = errors.empty() || !std::isfinite(errors[name]) ? 0 : errors[name];
    const double middle = middle_of(series, name);
    const double from = along(base()), to = along(value), half = 0.94 * thickness_ / 2;
    const double low = along(std::max(value - error, scale().range.least)), high = along(value + error);
    Color color = chart_.series[series].color.value_or(series_color(series));
    if (chart_.highlighted && *chart_.highlighted != name) color.opacity *= pale;
    const auto point = [&](double at) { return chart_.horizontal ? Point{at, middle} : Point{middle, at}; };
    const Rectangle place = chart_.horizontal
                                ? Rectangle{std::min(from, to), middle - half, std::abs(to - from), 2 * half}
                                : Rectangle{middle - half, std::min(from, to), 2 * half, std::abs(to - from)};
    return Bar{place, point(low), point(high), color};
  }

 private:
  const Scale& scale() const { return chart_.horizontal ? plot_.x : plot_.y; }
  double base() const { return scale().range.logarithmic ? scale().range.least : 0; }
  double along(double value) const { return chart_.horizontal ? plot_.across(value) : plot_.up(plot_.y, value); }

  double middle_of(std::size_t series, std::size_t name) const {
    const auto at = static_cast<double>(name);
    const double slot = chart_.horizontal ? plot_.up(plot_.y, at) : plot_.across(at);
    return slot + thickness_ * (static_cast<double>(series) - (static_cast<double>(chart_.series.size()) - 1) / 2);
  }

  const BarChart& chart_;
  const Plot& plot_;
  double thickness_ = 0;
};

bool contains(const Rectangle& room, const Rectangle& place) {
  return place.x >= room.x && place.right() <= room.right() && place.y >= room.y && place.bottom() <= room.bottom();
}

// Beyond the end of the bar, else inside it, else not at all.
void draw_label(Canvas& canvas, const BarChart& chart, const Plot& plot, const Bar& bar, const std::string& text) {
  auto style = small_style(canvas.theme());
  const Size size = canvas.measure(text, style);
  const Point middle = {bar.place.x + bar.place.width / 2, bar.place.y + bar.place.height / 2};
  const double right = std::max(bar.high.x, bar.place.right()), top = std::min(bar.high.y, bar.place.y);
  const Rectangle beyond = chart.horizontal
                               ? Rectangle{right + label_gap, middle.y - size.height / 2, size.width, size.height}
                               : Rectangle{middle.x - size.width / 2, top - size.height, size.width, size.height};
  const Rectangle room = {plot.place.x, plot.place.y - size.height / 2, plot.place.width,
                          plot.place.height + size.height};
  const double thickness = chart.horizontal ? bar.place.height : bar.place.width;
  if ((chart.horizontal ? size.height : size.width) > 1.25 * thickness) return;
  if (contains(room, beyond)) {
    canvas.text(text, {beyond.x, beyond.y}, style);
    return;
  }
  const Rectangle inside = chart.horizontal
                               ? Rectangle{bar.low.x - label_gap - size.width, beyond.y, size.width, size.height}
                               : Rectangle{beyond.x, bar.low.y + label_gap, size.width, size.height};
  if (!contains(bar.place, inside)) return;
  style.color = bar.color.opacity < 1 ? canvas.theme().ink : readable_on(bar.color);
  canvas.text(text, {inside.x, inside.y}, style);
}

void draw_bars(Canvas& canvas, const BarChart& chart, const Plot& plot) {
  const BarPlot bars(chart, plot);
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    const Bars& series = chart.series[i];
    for (std::size_t name = 0; name < chart.names.size(); ++name) {
      const auto bar = bars.bar(i, name);
      if (!bar) continue;
      canvas.fill(bar->place, bar->color, 1.5);
      if (!series.errors.empty()) draw_error_bar(canvas, bar->low, bar->high, canvas.theme().ink);
      if (!chart.value_labels) continue;
      const auto text =
          series.labels.empty()
              ? format_number(series.values[name], label_step(chart, series.values[name]), chart.values.format)
              : series.labels[name];
      draw_label(canvas, chart, plot, *bar, text);
    }
  }
}

std::optional<Range> range_of(const BarChart& chart) {
  std::optional<Range> range;
  for (const Bars& series : chart.series) {
    for (std::size_t i = 0; i < series.values.size(); ++i) {
      widen(range, series.values[i], chart.values);
      if (series.errors.empty()) continue;
      widen(range, series.values[i] + series.errors[i], chart.values);
      if (!chart.values.logarithmic) widen(range, series.values[i] - series.errors[i], chart.values);
    }
  }
  if (range && !chart.values.logarithmic) widen(range, 0, chart.values);
  return reached(range, chart.values);
}

std::vector<LegendEntry> legend_of(const BarChart& chart) {
  std::vector<LegendEntry> entries;
  for (std::size_t i = 0; i < chart.series.size(); ++i)
    entries.push_back({chart.series[i].name, chart.series[i].color.value_or(series_color(i))});
  return entries;
}

}  // namespace

void draw_bar_chart(Canvas& canvas, const BarChart& chart, const Rectangle& place) {
  for (const Bars& series : chart.series) {
    ASSERT(series.values.size() == chart.names.size(), "each name has a value");
    ASSERT(series.errors.empty() || series.errors.size() == chart.names.size(), "each name has an error, or none has");
    ASSERT(series.labels.empty() || series.labels.size() == chart.names.size(), "each name has a label, or none has");
  }
  const auto rest = draw_chart_head(canvas, {chart.title, chart.subtitle}, legend_of(chart), place);
  const auto range = range_of(chart);
  if (!range) return say_that_nothing_is_there(canvas, rest);
  const Dimension names{.names = chart.names};
  const Dimension values{.axis = chart.values, .range = range, .round_ends = true};
  const Plot plot = draw_axes(canvas, rest, chart.horizontal ? Dimensions{values, names} : Dimensions{names, values});
  draw_bars(canvas, chart, plot);
}

Drawing drawing(const BarChart& chart, const Theme& theme) {
  return chart_sheet({chart.width, chart.height}, theme,
                     [chart](Canvas& canvas, const Rectangle& place) { draw_bar_chart(canvas, chart, place); });
}

}  // namespace nunchi::draw
