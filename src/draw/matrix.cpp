#include "draw/matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/assert.h"

namespace nunchi::draw {
namespace {

constexpr double margin = 18, gap = 6, most_cell = 88;
constexpr TextStyle title_style = {.size = 16, .bold = true}, quiet_style = {.size = 12, .color = quiet_ink};

TextStyle within(TextStyle style, double width, Align align = Align::left) {
  style.most_width = std::max(width, 1.0);
  style.align = align;
  return style;
}

// Measured before anything is drawn: the sheet's height follows from it.
struct Layout {
  double title = 0, subtitle = 0;  // heights
  double names = 0;                // width of the column of names
  double cell = 0;
  double top = 0;  // of the cells
  double height = 0;
  Point first;  // corner of the first cell
};

double sized(double value) { return value > 0 ? value + gap : 0; }

constexpr double figure_size(double cell) { return std::min(14.0, cell / 4); }

TextStyle name_style(double cell) { return {.size = std::clamp(cell / 5, 8.0, 12.0)}; }

// The largest cells for which the names, the thumbnails and the cells fit into the width.
double cell_width(double room, std::size_t columns) {
  return std::clamp(room / static_cast<double>(columns), 6.0, most_cell);
}

Layout lay_out(Canvas& canvas, const SimilarityMatrix& matrix) {
  const double inside = matrix.width - 2 * margin;
  const std::size_t count = matrix.names.size(), columns = count + (matrix.thumbnails.empty() ? 0 : 1);
  Layout layout;
  if (!matrix.title.empty()) layout.title = canvas.measure(matrix.title, within(title_style, inside)).height;
  auto subtitle = within(quiet_style, inside);
  subtitle.several_lines = true;
  if (!matrix.subtitle.empty()) layout.subtitle = canvas.measure(matrix.subtitle, subtitle).height;
  const double cell = cell_width(inside * 0.85, columns);
  for (const auto& name : matrix.names)
    layout.names = std::max(layout.names, canvas.measure(name, name_style(cell)).width);
  layout.names = std::min(std::ceil(layout.names) + 1, inside * 0.28);
  layout.cell = std::floor(cell_width(inside - layout.names - gap, columns));
  const double thumbnail = matrix.thumbnails.empty() ? 0 : layout.cell;
  layout.top = margin + sized(layout.title) + sized(layout.subtitle) + gap;
  layout.first = {margin + layout.names + gap + thumbnail, layout.top + thumbnail};
  const double bar = 14 + gap + canvas.measure("0", quiet_style).height;
  layout.height = layout.first.y + layout.cell * static_cast<double>(count) + 3 * gap + bar + margin;
  return layout;
}

// As much of the middle of the picture as fills the square.
void draw_thumbnail(Canvas& canvas, const image::Picture& picture, const Rectangle& place) {
  const double scale = std::max(place.width / picture.width, place.height / picture.height);
  const double width = picture.width * scale, height = picture.height * scale;
  canvas.begin_clip(place, 4);
  canvas.picture(picture, {place.x + (place.width - width) / 2, place.y + (place.height - height) / 2, width, height});
  canvas.end_clip();
}

void draw_heads(Canvas& canvas, const SimilarityMatrix& matrix, const Layout& layout) {
  constexpr double space = 2;
  for (std::size_t i = 0; i < matrix.names.size(); ++i) {
    const double along = layout.cell * static_cast<double>(i), side = layout.cell - 2 * space;
    const auto style = within(name_style(layout.cell), layout.names, Align::right);
    const double height = canvas.measure(matrix.names[i], style).height;
    canvas.text(matrix.names[i], {margin + layout.names, layout.first.y + along + (layout.cell - height) / 2}, style);
    if (matrix.thumbnails.empty()) continue;
    const auto& picture = matrix.thumbnails[i];
    draw_thumbnail(canvas, picture, {layout.first.x - layout.cell + space, layout.first.y + along + space, side, side});
    draw_thumbnail(canvas, picture, {layout.first.x + along + space, layout.first.y - layout.cell + space, side, side});
  }
}

void draw_cells(Canvas& canvas, const SimilarityMatrix& matrix, const Layout& layout) {
  const std::size_t count = matrix.names.size();
  const TextStyle figures = {.size = figure_size(layout.cell), .align = Align::center};
  const bool with_figures = figures.size >= 7 && canvas.measure("-0.00", figures).width + 4 <= layout.cell;
  for (std::size_t i = 0; i < matrix.values.size(); ++i) {
    const double value = matrix.values[i];
    const std::size_t whole_rows = i / count;
    const auto row = static_cast<double>(whole_rows), column = static_cast<double>(i % count);
    const Rectangle place = {layout.first.x + column * layout.cell, layout.first.y + row * layout.cell, layout.cell - 1,
                             layout.cell - 1};
    const Color color = color_of(matrix.colors, (value - matrix.least) / (matrix.greatest - matrix.least));
    canvas.fill(place, color, std::min(4.0, layout.cell / 8));
    if (!with_figures) continue;
    auto style = figures;
    style.color = readable_on(color);
    const std::string text = std::isfinite(value) ? fmt::format("{:.2f}", value) : "none";
    const double height = canvas.measure(text, style).height;
    canvas.text(text, {place.x + place.width / 2, place.y + (place.height - height) / 2}, style);
  }
}

// What the colours mean.
void draw_bar(Canvas& canvas, const SimilarityMatrix& matrix, const Layout& layout) {
  const double length = std::max(120.0, std::min(220.0, layout.cell * static_cast<double>(matrix.names.size())));
  const Rectangle bar = {std::min(layout.first.x, matrix.width - margin - length),
                         layout.first.y + layout.cell * static_cast<double>(matrix.names.size()) + 3 * gap, length, 10};
  constexpr int steps = 110;
  canvas.begin_clip(bar, 3);
  for (int i = 0; i < steps; ++i) {
    const double share = (i + 0.5) / steps;
    canvas.fill({bar.x + bar.width * i / steps, bar.y, bar.width / steps + 1, bar.height},
                color_of(matrix.colors, share));
  }
  canvas.end_clip();
  const double below = bar.bottom() + 4;
  canvas.text(fmt::format("{:g}", matrix.least), {bar.x, below}, quiet_style);
  canvas.text(fmt::format("{:g}", (matrix.least + matrix.greatest) / 2), {bar.x + bar.width / 2, below},
              within(quiet_style, bar.width / 3, Align::center));
  canvas.text(fmt::format("{:g}", matrix.greatest), {bar.right(), below},
              within(quiet_style, bar.width / 3, Align::right));
}

Canvas drawn(const SimilarityMatrix& matrix, const CanvasOptions& options) {
  const std::size_t count = matrix.names.size();
  ASSERT(count > 0 && matrix.values.size() == count * count, "a matrix has a value for each two names");
  ASSERT(matrix.thumbnails.empty() || matrix.thumbnails.size() == count, "each name has a thumbnail, or none has");
  Canvas ruler(1, 1, {.pixels_per_point = 1});
  const Layout layout = lay_out(ruler, matrix);
  Canvas canvas(matrix.width, layout.height, options);
  const double inside = matrix.width - 2 * margin;
  if (!matrix.title.empty()) canvas.text(matrix.title, {margin, margin}, within(title_style, inside));
  auto subtitle = within(quiet_style, inside);
  subtitle.several_lines = true;
  if (!matrix.subtitle.empty()) canvas.text(matrix.subtitle, {margin, margin + sized(layout.title)}, subtitle);
  draw_heads(canvas, matrix, layout);
  draw_cells(canvas, matrix, layout);
  draw_bar(canvas, matrix, layout);
  return canvas;
}

}  // namespace

std::vector<std::byte> similarity_matrix(const SimilarityMatrix& matrix) { return drawn(matrix, {}).png(); }

std::string similarity_matrix_svg(const SimilarityMatrix& matrix) { return drawn(matrix, {.vector = true}).svg(); }

}  // namespace nunchi::draw
