#include "draw/heat_map_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/assert.h"
#include "draw/words.h"

namespace nunchi::draw {
namespace {

constexpr double gap = 6, most_cell = 88, most_column_name = 120, share_of_names = 0.28;
constexpr double least_framed = 6;  // smaller cells stand without space between them
constexpr double comfortable_height = 700;

// Measured before anything is drawn; lengths from the corner of the place.
struct Layout {
  double names = 0;  // width of the column of names
  Size cell;
  double thumbnail_width = 0, thumbnail_height = 0;  // beside and above the cells
  double columns_title = 0, column_names = 0;        // heights
  bool turned = false;                               // names of the columns
  Point first;                                       // corner of the first cell
  Size cells;                                        // of all of them
  double height = 0;                                 // of the whole chart
};

TextStyle name_style(const Canvas& canvas, const Layout& layout) {
  const double size = std::clamp(std::min(layout.cell.width, 2.5 * layout.cell.height) / 5, 8.0, 12.0);
  return {.size = size, .color = canvas.theme().ink};
}

TextStyle title_beside(const Canvas& canvas, const Layout& layout) {
  return within(small_style(canvas.theme()), layout.names, Align::right);
}

TextStyle column_style(const Canvas& canvas, const Layout& layout) {
  auto style = name_style(canvas, layout);
  style.align = Align::center;
  style.turned = layout.turned;
  style.most_width = layout.turned ? most_column_name : layout.cell.width;
  return style;
}

double widest(Canvas& canvas, const std::vector<std::string>& names, const TextStyle& style) {
  double width = 0;
  for (const auto& name : names) width = std::max(width, name.empty() ? 0 : canvas.measure(name, style).width);
  return width;
}

std::array<double, 2> ends_of(const HeatMapChart& chart) {
  std::optional<double> least, greatest;
  for (const double value : chart.values) {
    if (!std::isfinite(value)) continue;
    least = std::min(value, least.value_or(value));
    greatest = std::max(value, greatest.value_or(value));
  }
  return {chart.least.value_or(least.value_or(0)), chart.greatest.value_or(greatest.value_or(1))};
}

ColorBar bar_of(const HeatMapChart& chart) {
  const auto [least, greatest] = ends_of(chart);
  return {.title = chart.color_bar_title,
          .colors = chart.colors,
          .least = least,
          .greatest = greatest,
          .format = chart.format};
}

Color color_at(const HeatMapChart& chart, const ColorBar& bar, std::size_t i) {
  const double range = bar.greatest > bar.least ? bar.greatest - bar.least : 1;
  return color_of(bar.colors, (chart.values[i] - bar.least) / range);
}

double bar_width(const Layout& layout) { return std::clamp(layout.cells.width, 120.0, 220.0); }

double cell_width(double room, std::size_t columns) {
  const double width = std::min(room / static_cast<double>(columns), most_cell);
  return width > 2 * least_framed ? std::floor(width) : width;
}

// Squares, unless that makes the chart too high.
double cell_height(double width, std::size_t rows, double room) {
  const double fair = room / static_cast<double>(rows);
  return std::min(width, std::max(14.0, fair));
}

void measure_names(Canvas& canvas, const HeatMapChart& chart, double width, Layout& layout) {
  const std::size_t columns = chart.columns.size() + (chart.row_thumbnails.empty() ? 0 : 1);
  layout.cell.width = cell_width(width * 0.85, columns);
  layout.cell.height = cell_height(layout.cell.width, chart.rows.size(), comfortable_height);
  const double names = std::max(widest(canvas, chart.rows, name_style(canvas, layout)),
                                widest(canvas, {chart.rows_title}, small_style(canvas.theme())));
  layout.names = std::min(std::ceil(names) + 1, width * share_of_names);
  layout.cell.width = cell_width(width - layout.names - gap, columns);
  layout.turned = widest(canvas, chart.columns, name_style(canvas, layout)) > layout.cell.width - 2;
  for (const auto& name : chart.columns) {
    if (name.empty()) continue;
    layout.column_names = std::max(layout.column_names, canvas.measure(name, column_style(canvas, layout)).height + 4);
  }
  if (!chart.columns_title.empty())
    layout.columns_title = canvas.measure(chart.columns_title, small_style(canvas.theme())).height + 4;
}

// `room`: the height that there is; without, a comfortable one.
Layout lay_out(Canvas& canvas, const HeatMapChart& chart, double width, std::optional<double> room) {
  Layout layout;
  measure_names(canvas, chart, width, layout);
  const double head = head_height(canvas, {chart.title, chart.subtitle}, width);
  const double above = head + layout.columns_title + layout.column_names;
  const double bar = 2 * gap + color_bar_height(canvas, bar_of(chart), bar_width(layout));
  const std::size_t rows = chart.rows.size() + (chart.column_thumbnails.empty() ? 0 : 1);
  layout.cell.height = cell_height(layout.cell.width, rows, comfortable_height);
  if (room) layout.cell.height = std::min(layout.cell.height, (*room - above - bar) / static_cast<double>(rows));
  layout.cell.height = std::max(layout.cell.height, 0.5);
  layout.thumbnail_width = chart.row_thumbnails.empty() ? 0 : layout.cell.width;
  layout.thumbnail_height = chart.column_thumbnails.empty() ? 0 : layout.cell.height;
  layout.first = {layout.names + gap + layout.thumbnail_width, above + layout.thumbnail_height};
  layout.cells = {layout.cell.width * static_cast<double>(chart.columns.size()),
                  layout.cell.height * static_cast<double>(chart.rows.size())};
  layout.height = layout.first.y + layout.cells.height + bar;
  return layout;
}

// As much of the middle of the picture as fills the place.
void draw_thumbnail(Canvas& canvas, const image::Picture& picture, const Rectangle& place) {
  const double scale = std::max(place.width / picture.width, place.height / picture.height);
  const double width = picture.width * scale, height = picture.height * scale;
  canvas.begin_clip(place, 4);
  canvas.picture(picture, {place.x + (place.width - width) / 2, place.y + (place.height - height) / 2, width, height});
  canvas.end_clip();
}

// Where names would lie over each other only some are shown.
std::size_t step_of(Canvas& canvas, const Layout& layout, double room) {
  const double height = canvas.measure("0", name_style(canvas, layout)).height;
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(0.9 * height / room)));
}

void draw_row_names(Canvas& canvas, const HeatMapChart& chart, const Layout& layout, const Point& origin) {
  constexpr double space = 2;
  const auto style = within(name_style(canvas, layout), layout.names, Align::right);
  const double right = origin.x + layout.names, top = origin.y + layout.first.y;
  const std::size_t step = step_of(canvas, layout, layout.cell.height);
  for (std::size_t i = 0; i < chart.rows.size(); ++i) {
    const double y = top + layout.cell.height * static_cast<double>(i);
    if (i % step == 0) {
      const double height = canvas.measure(chart.rows[i], style).height;
      canvas.text(chart.rows[i], {right, y + (layout.cell.height - height) / 2}, style);
    }
    if (chart.row_thumbnails.empty()) continue;
    draw_thumbnail(canvas, chart.row_thumbnails[i],
                   {right + gap + space, y + space, layout.cell.width - 2 * space, layout.cell.height - 2 * space});
  }
  const auto title = title_beside(canvas, layout);
  const double height = height_of(canvas, chart.rows_title, title);
  if (height > 0) canvas.text(chart.rows_title, {right, top - layout.thumbnail_height - height - 4}, title);
}

void draw_column_names(Canvas& canvas, const HeatMapChart& chart, const Layout& layout, const Point& origin) {
  constexpr double space = 2;
  const auto style = column_style(canvas, layout);
  const double left = origin.x + layout.first.x, bottom = origin.y + layout.first.y;
  const std::size_t step = layout.turned ? step_of(canvas, layout, layout.cell.width) : 1;
  for (std::size_t i = 0; i < chart.columns.size(); ++i) {
    const double x = left + layout.cell.width * static_cast<double>(i);
    if (i % step == 0 && !chart.columns[i].empty()) {
      const double height = canvas.measure(chart.columns[i], style).height;
      canvas.text(chart.columns[i], {x + layout.cell.width / 2, bottom - layout.thumbnail_height - height - 4}, style);
    }
    if (chart.column_thumbnails.empty()) continue;
    draw_thumbnail(canvas, chart.column_thumbnails[i],
                   {x + space, bottom - layout.thumbnail_height + space, layout.cell.width - 2 * space,
                    layout.cell.height - 2 * space});
  }
  const double title = bottom - layout.thumbnail_height - layout.column_names - layout.columns_title;
  canvas.text(chart.columns_title, {left, title}, within(small_style(canvas.theme()), layout.cells.width));
}

std::string figure_of(const HeatMapChart& chart, double value) {
  if (!std::isfinite(value)) return "none";
  if (chart.format == NumberFormat::percent) return fmt::format("{:.{}f} %", 100 * value, chart.decimals);
  return fmt::format("{:.{}f}", value, chart.decimals);
}

// The style of the figures, where the widest of them fits.
std::optional<TextStyle> figure_style(Canvas& canvas, const HeatMapChart& chart, const Layout& layout) {
  const TextStyle style = {.size = std::min({14.0, layout.cell.width / 4, layout.cell.height / 1.8}),
                           .align = Align::center};
  if (!chart.figures || style.size < 7) return std::nullopt;
  for (const double value : chart.values) {
    if (canvas.measure(figure_of(chart, value), style).width + 4 > layout.cell.width) return std::nullopt;
  }
  return style;
}

// Small cells are the pixels of a picture.
void draw_as_picture(Canvas& canvas, const HeatMapChart& chart, const Rectangle& place) {
  auto picture = image::make_picture(static_cast<int>(chart.columns.size()), static_cast<int>(chart.rows.size()));
  const ColorBar bar = bar_of(chart);
  const auto byte = [](double part) { return static_cast<std::uint8_t>(std::lround(255 * part)); };
  for (std::size_t i = 0; i < chart.values.size(); ++i) {
    const Color color = color_at(chart, bar, i);
    picture.pixels[3 * i] = byte(color.red);
    picture.pixels[3 * i + 1] = byte(color.green);
    picture.pixels[3 * i + 2] = byte(color.blue);
  }
  canvas.picture(picture, place, Scaling::pixels);
}

void draw_cells(Canvas& canvas, const HeatMapChart& chart, const Layout& layout, const Point& corner) {
  const Size& cell = layout.cell;
  if (std::min(cell.width, cell.height) < least_framed)
    return draw_as_picture(canvas, chart, {corner.x, corner.y, layout.cells.width, layout.cells.height});
  const auto figures = figure_style(canvas, chart, layout);
  const ColorBar bar = bar_of(chart);
  const std::size_t columns = chart.columns.size();
  for (std::size_t i = 0; i < chart.values.size(); ++i) {
    const auto whole_rows = i / columns;
    const Rectangle place = {corner.x + static_cast<double>(i % columns) * cell.width,
                             corner.y + static_cast<double>(whole_rows) * cell.height, cell.width - 1, cell.height - 1};
    const Color color = color_at(chart, bar, i);
    canvas.fill(place, color, std::min({4.0, cell.width / 8, cell.height / 8}));
    if (!figures) continue;
    auto style = *figures;
    style.color = readable_on(color);
    const std::string text = figure_of(chart, chart.values[i]);
    const double height = canvas.measure(text, style).height;
    canvas.text(text, {place.x + place.width / 2, place.y + (place.height - height) / 2}, style);
  }
}

void draw_chart(Canvas& canvas, const HeatMapChart& chart, const Layout& layout, const Point& origin, double width) {
  draw_head(canvas, {chart.title, chart.subtitle}, origin, width);
  draw_row_names(canvas, chart, layout, origin);
  draw_column_names(canvas, chart, layout, origin);
  const Point corner = {origin.x + layout.first.x, origin.y + layout.first.y};
  draw_cells(canvas, chart, layout, corner);
  const double length = bar_width(layout);
  draw_color_bar(canvas, bar_of(chart),
                 {std::min(corner.x, origin.x + width - length), corner.y + layout.cells.height + 2 * gap}, length);
}

void check(const HeatMapChart& chart) {
  const std::size_t rows = chart.rows.size(), columns = chart.columns.size();
  ASSERT(rows > 0 && columns > 0 && chart.values.size() == rows * columns, "a heat map has a value for each cell");
  ASSERT(chart.row_thumbnails.empty() || chart.row_thumbnails.size() == rows, "each row has a thumbnail, or none has");
  ASSERT(chart.column_thumbnails.empty() || chart.column_thumbnails.size() == columns,
         "each column has a thumbnail, or none has");
}

}  // namespace

void draw_heat_map_chart(Canvas& canvas, const HeatMapChart& chart, const Rectangle& place) {
  check(chart);
  draw_chart(canvas, chart, lay_out(canvas, chart, place.width, place.height), {place.x, place.y}, place.width);
}

Drawing drawing(const HeatMapChart& chart, const Theme& theme) {
  check(chart);
  Canvas canvas = ruler();
  const double inside = chart.width - 2 * margin;
  const Layout layout = lay_out(canvas, chart, inside, std::nullopt);
  const auto draw = [shared = std::make_shared<const HeatMapChart>(chart), layout, inside](Canvas& onto) {
    draw_chart(onto, *shared, layout, {margin, margin}, inside);
  };
  return {.width = chart.width, .height = std::ceil(layout.height + 2 * margin), .draw = draw, .theme = theme};
}

}  // namespace nunchi::draw
