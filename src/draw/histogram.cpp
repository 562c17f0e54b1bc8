#include "draw/histogram.h"

#include <algorithm>
#include <cmath>

#include "core/assert.h"

namespace nunchi::draw {
namespace {

Color color_of_series(const HistogramChart& chart, std::size_t index) {
  Color color = chart.series[index].color.value_or(series_color(index));
  if (chart.series.size() > 1) color.opacity *= chart.opacity;
  return color;
}

double bin_width(const Histogram& histogram) {
  return (histogram.greatest - histogram.least) / static_cast<double>(histogram.counts.size());
}

Dimensions dimensions_of(const HistogramChart& chart) {
  std::optional<Range> x, y;
  for (const Histogram& histogram : chart.series) {
    widen(x, histogram.least, chart.x);
    widen(x, histogram.greatest, chart.x);
    for (const double count : histogram.counts) {
      if (!chart.y.logarithmic || count > 0) widen(y, count, chart.y);
    }
  }
  if (y && !chart.y.logarithmic) widen(y, 0, chart.y);
  return {.x = {.axis = chart.x, .range = reached(x, chart.x)}, .y = {.axis = chart.y, .range = reached(y, chart.y)}};
}

void draw_bins(Canvas& canvas, const Plot& plot, const Histogram& histogram, const Color& color) {
  const double width = bin_width(histogram);
  for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
    if (histogram.counts[i] <= 0) continue;
    const double left = plot.across(histogram.least + width * static_cast<double>(i));
    const double right = plot.across(histogram.least + width * static_cast<double>(i + 1));
    // A single value shows, on a logarithmic axis too, which begins at 1.
    const double top = std::min(plot.up(plot.y, histogram.counts[i]), plot.place.bottom() - 1.5);
    // Neighbours are told apart where there is room.
    const double space = right - left > 5 ? 0.5 : 0;
    canvas.fill({left, top, right - left - space, plot.place.bottom() - top}, color);
  }
}

}  // namespace

Histogram empty_histogram(const std::string& name, double least, double greatest, std::size_t bins) {
  ASSERT(bins > 0 && std::isfinite(least) && std::isfinite(greatest) && least < greatest, "a histogram has bins");
  return {.name = name, .least = least, .greatest = greatest, .counts = std::vector<double>(bins)};
}

void count(Histogram& histogram, std::span<const float> values) {
  const double bins = static_cast<double>(histogram.counts.size());
  const double scale = bins / (histogram.greatest - histogram.least);
  for (const float value : values) {
    if (!(value >= histogram.least && value <= histogram.greatest)) {  // which no NaN is
      ++histogram.outside;
      continue;
    }
    const auto bin = static_cast<std::size_t>(std::min((value - histogram.least) * scale, bins - 1));
    ++histogram.counts[bin];
  }
}

void draw_histogram(Canvas& canvas, const HistogramChart& chart, const Rectangle& place) {
  std::vector<LegendEntry> legend;
  for (std::size_t i = 0; i < chart.series.size(); ++i)
    legend.push_back({chart.series[i].name, color_of_series(chart, i)});
  const auto rest = draw_chart_head(canvas, {chart.title, chart.subtitle}, legend, place);
  const auto dimensions = dimensions_of(chart);
  if (!dimensions.x.range || !dimensions.y.range) return say_that_nothing_is_there(canvas, rest);
  const Plot plot = draw_axes(canvas, rest, dimensions);
  for (std::size_t i = 0; i < chart.series.size(); ++i)
    draw_bins(canvas, plot, chart.series[i], color_of_series(chart, i));
}

Drawing drawing(const HistogramChart& chart, const Theme& theme) {
  return chart_sheet({chart.width, chart.height}, theme,
                     [chart](Canvas& canvas, const Rectangle& place) { draw_histogram(canvas, chart, place); });
}

}  // namespace nunchi::draw
