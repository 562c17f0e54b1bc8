#include "draw/axes.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/assert.h"

namespace nunchi::draw {
namespace {

constexpr double gap = 8, least_side = 20;
constexpr double most_share_of_names = 0.4;              // of the width, for the names of y
constexpr double least_wrapped = 48, most_turned = 110;  // widths of names below x

TextStyle tick_style(const Canvas& canvas) { return small_style(canvas.theme()); }

double widest(Canvas& canvas, const std::vector<std::string>& labels) {
  double width = 0;
  for (const auto& label : labels) width = std::max(width, canvas.measure(label, tick_style(canvas)).width);
  return width;
}

Range widened(const Range& range) {
  if (range.least != range.greatest) return range;
  if (range.logarithmic) return {range.least / 2, range.greatest * 2, true};
  return {range.least - 0.5, range.greatest + 0.5};
}

Ticks labelled(const std::vector<double>& values, NumberFormat format) {
  Ticks ticks{.values = values, .labels = {}};
  for (const double value : values) ticks.labels.push_back(format_number(value, value, format));
  return ticks;
}

Scale scale_of_names(const std::vector<std::string>& names) {
  Ticks ticks{.values = std::vector<double>(names.size()), .labels = names};
  std::iota(ticks.values.begin(), ticks.values.end(), 0.0);
  return {{-0.5, static_cast<double>(names.size()) - 0.5}, std::move(ticks)};
}

// The first name stands at the top.
Scale upright_scale_of_names(const std::vector<std::string>& names) {
  auto scale = scale_of_names(names);
  std::swap(scale.range.least, scale.range.greatest);
  return scale;
}

Scale round_scale(const Range& range, const Axis& axis, int most) {
  const auto round = axis.logarithmic ? logarithmic_ticks : nice_ticks;
  auto ticks = round(range.least, range.greatest, most, {axis.format, false, axis.whole_numbers});
  const Range ends = {ticks.values.front(), ticks.values.back(), axis.logarithmic};
  return {ends, std::move(ticks)};
}

Scale vertical_scale(const Dimension& y, double height) {
  if (!y.names.empty()) return upright_scale_of_names(y.names);
  auto scale = round_scale(y.range.value_or(Range{0, 1}), y.axis, std::clamp(static_cast<int>(height / 36), 3, 8));
  if (!y.range) scale.ticks = {};  // every value is on the other side
  return scale;
}

// As many ticks as their labels leave room for.
Scale horizontal_scale(Canvas& canvas, const Dimension& x, double width) {
  if (!x.names.empty()) return scale_of_names(x.names);
  const Range range = widened(x.range.value_or(Range{0, 1}));
  if (!x.axis.ticks.empty()) return {range, labelled(x.axis.ticks, x.axis.format)};
  const auto inside = x.axis.logarithmic ? logarithmic_ticks : nice_ticks;
  for (int most = 12;; --most) {
    auto scale =
        x.round_ends
            ? round_scale(range, x.axis, most)
            : Scale{range, inside(range.least, range.greatest, most, {x.axis.format, true, x.axis.whole_numbers})};
    const double needed =
        static_cast<double>(scale.ticks.labels.size()) * (widest(canvas, scale.ticks.labels) + 2 * gap);
    if (needed <= width || most == 2) return scale;
  }
}

// Side by side where they fit, else in several lines, else turned.
TextStyle style_below(Canvas& canvas, const Dimension& x, double width) {
  auto style = tick_style(canvas);
  style.align = Align::center;
  if (x.names.empty()) return style;
  const double room = width / static_cast<double>(x.names.size()) - 4;
  if (widest(canvas, x.names) <= room) return style;
  if (room >= least_wrapped) return lines_within(style, room, 3, Align::center);
  style.turned = true;
  style.most_width = most_turned;
  return style;
}

// In two lines where there is room for them.
TextStyle style_beside(Canvas& canvas, const Dimension& y, const Size& room) {
  const auto style = tick_style(canvas);
  if (y.names.empty()) return style;
  const double slot = room.height / static_cast<double>(y.names.size()), width = most_share_of_names * room.width;
  return slot > 2.2 * canvas.measure("0", style).height ? lines_within(style, width, 2) : within(style, width);
}

// Where names would lie over each other only some are shown.
std::size_t step_of(Canvas& canvas, std::size_t names, double room) {
  const double line = 0.9 * canvas.measure("0", tick_style(canvas)).height;
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(static_cast<double>(names) * line / room)));
}

double tallest(Canvas& canvas, const std::vector<std::string>& labels, const TextStyle& style) {
  double height = 0;
  for (const auto& label : labels) height = std::max(height, canvas.measure(label, style).height);
  return height;
}

double width_beside(Canvas& canvas, const std::vector<std::string>& labels, const TextStyle& style) {
  double width = 0;
  for (const auto& label : labels) width = std::max(width, canvas.measure(label, style).width);
  return width > 0 ? width + gap : 0;
}

// The words around the plot, measured before it has its place.
struct Layout {
  Plot plot;
  TextStyle below, beside;
  double below_height = 0;  // of the labels of x
};

// The titles of the upright axes stand above them, to be read without turning one's head.
double draw_upright_titles(Canvas& canvas, const Dimensions& all, const Rectangle& place) {
  const std::string second = all.second_y ? all.second_y->axis.title : "";
  if (all.y.axis.title.empty() && second.empty()) return place.y + gap;
  const auto style = within(quiet_style(canvas.theme()), all.second_y ? place.width / 2 - gap : place.width);
  double height = canvas.text(all.y.axis.title, {place.x, place.y}, style).height;
  auto right = style;
  right.align = Align::right;
  height = std::max(height, canvas.text(second, {place.right(), place.y}, right).height);
  return place.y + height + gap;
}

// The place of the plot is what the labels around it leave.
Layout lay_out(Canvas& canvas, const Dimensions& all, const Rectangle& rest) {
  const double text = canvas.measure("0", tick_style(canvas)).height;
  const double title = all.x.axis.title.empty() ? 0 : 2 + canvas.measure("0", quiet_style(canvas.theme())).height;
  Layout layout;
  Plot& plot = layout.plot;
  layout.beside = style_beside(canvas, all.y, {rest.width, rest.height - 2 * text});
  plot.y = vertical_scale(all.y, rest.height - 2 * text);
  if (all.second_y) plot.second_y = vertical_scale(*all.second_y, rest.height - 2 * text);
  const double left = width_beside(canvas, plot.y.ticks.labels, layout.beside);
  const double right = plot.second_y ? width_beside(canvas, plot.second_y->ticks.labels, tick_style(canvas)) : 0;
  plot.place = {rest.x + left, rest.y + text / 2, std::max(rest.width - left - right, least_side), 0};
  plot.x = horizontal_scale(canvas, all.x, plot.place.width);
  if (all.x.names.empty()) {  // the first and the last label reach out by half of their width
    const double half = widest(canvas, plot.x.ticks.labels) / 2;
    const double more_left = std::max(0.0, half - left), more_right = std::max(0.0, half - right);
    plot.place.x += more_left;
    plot.place.width = std::max(plot.place.width - more_left - more_right, least_side);
  }
  layout.below = style_below(canvas, all.x, plot.place.width);
  layout.below_height = tallest(canvas, plot.x.ticks.labels, layout.below);
  plot.place.height = std::max(rest.height - text / 2 - 6 - layout.below_height - title, least_side);
  return layout;
}

void draw_upright_labels(Canvas& canvas, const Plot& plot, const Scale& scale, double x, TextStyle style) {
  const std::size_t count = scale.ticks.values.size(), step = step_of(canvas, count, plot.place.height);
  for (std::size_t i = 0; i < count; i += step) {
    const double y = plot.up(scale, scale.ticks.values[i]);
    if (style.align == Align::left)  // grid lines are the other's
      canvas.line({x - gap, y}, {x - gap / 2, y}, {.color = canvas.theme().quiet_ink});
    canvas.text(scale.ticks.labels[i], {x, y - canvas.measure(scale.ticks.labels[i], style).height / 2}, style);
  }
}

// Across the direction of the numbers; the line from which they are measured is darker.
void draw_grid(Canvas& canvas, const Plot& plot, const Dimensions& all) {
  const Rectangle& place = plot.place;
  const LineStyle quiet = {.color = canvas.theme().grid_line}, dark = {.color = canvas.theme().quiet_ink};
  if (all.y.names.empty()) {
    for (const double value : plot.y.ticks.values)
      canvas.line({place.x, plot.up(plot.y, value)}, {place.right(), plot.up(plot.y, value)}, quiet);
    canvas.line({place.x, place.bottom()}, {place.right(), place.bottom()}, dark);
  } else {
    for (const double value : plot.x.ticks.values)
      canvas.line({plot.across(value), place.y}, {plot.across(value), place.bottom()}, quiet);
    canvas.line({place.x, place.y}, {place.x, place.bottom()}, dark);
  }
}

void draw_below(Canvas& canvas, const Layout& layout, const Dimension& x) {
  const Rectangle& place = layout.plot.place;
  const Ticks& ticks = layout.plot.x.ticks;
  const std::size_t step = layout.below.turned ? step_of(canvas, ticks.values.size(), layout.plot.place.width) : 1;
  for (std::size_t i = 0; i < ticks.values.size(); i += step) {
    const double at = layout.plot.across(ticks.values[i]);
    if (x.names.empty())
      canvas.line({at, place.bottom()}, {at, place.bottom() + 4}, {.color = canvas.theme().quiet_ink});
    canvas.text(ticks.labels[i], {at, place.bottom() + 6}, layout.below);
  }
  const auto style = within(quiet_style(canvas.theme()), place.width, Align::center);
  canvas.text(x.axis.title, {place.x + place.width / 2, place.bottom() + 8 + layout.below_height}, style);
}

}  // namespace

double Range::share(double value) const {
  return logarithmic ? std::log(value / least) / std::log(greatest / least) : (value - least) / (greatest - least);
}

void widen(std::optional<Range>& range, double value, const Axis& axis) {
  if (!std::isfinite(value)) return;
  ASSERT(!axis.logarithmic || value > 0, "a logarithmic axis has positive values");
  range = range ? Range{std::min(range->least, value), std::max(range->greatest, value), axis.logarithmic}
                : Range{value, value, axis.logarithmic};
}

std::optional<Range> reached(std::optional<Range> range, const Axis& axis) {
  if (range && axis.least) widen(range, *axis.least, axis);
  if (range && axis.greatest) widen(range, *axis.greatest, axis);
  return range;
}

Plot draw_axes(Canvas& canvas, const Rectangle& rest, const Dimensions& dimensions) {
  const double top = draw_upright_titles(canvas, dimensions, rest);
  const auto layout = lay_out(canvas, dimensions, {rest.x, top, rest.width, rest.bottom() - top});
  const Plot& plot = layout.plot;
  draw_grid(canvas, plot, dimensions);
  auto beside = layout.beside;
  beside.align = Align::right;
  draw_upright_labels(canvas, plot, plot.y, plot.place.x - gap, beside);
  if (plot.second_y) draw_upright_labels(canvas, plot, *plot.second_y, plot.place.right() + gap, tick_style(canvas));
  draw_below(canvas, layout, dimensions.x);
  return plot;
}

Rectangle draw_chart_head(Canvas& canvas, const Head& head, std::span<const LegendEntry> legend,
                          const Rectangle& place) {
  double y = place.y + draw_head(canvas, head, {place.x, place.y}, place.width);
  y += draw_legend(canvas, legend, {place.x, y}, place.width);
  return {place.x, y, place.width, place.bottom() - y};
}

void say_that_nothing_is_there(Canvas& canvas, const Rectangle& place) {
  auto style = quiet_style(canvas.theme());
  style.align = Align::center;
  canvas.text("no values yet", {place.x + place.width / 2, place.y + place.height / 2}, style);
}

void draw_error_bar(Canvas& canvas, const Point& from, const Point& to, const Color& color) {
  constexpr double half = 3;
  const LineStyle style = {.color = color, .width = 1.2};
  canvas.line(from, to, style);
  const bool upright = std::abs(from.x - to.x) < std::abs(from.y - to.y);
  const double x = upright ? half : 0, y = upright ? 0 : half;
  for (const Point& end : {from, to}) canvas.line({end.x - x, end.y - y}, {end.x + x, end.y + y}, style);
}

Drawing chart_sheet(const Size& size, const Theme& theme, std::function<void(Canvas&, const Rectangle&)> draw) {
  const Rectangle inside = {margin, margin, size.width - 2 * margin, size.height - 2 * margin};
  return {.width = size.width,
          .height = size.height,
          .draw = [draw = std::move(draw), inside](Canvas& canvas) { draw(canvas, inside); },
          .theme = theme};
}

}  // namespace nunchi::draw
