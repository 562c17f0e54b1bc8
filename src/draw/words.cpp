#include "draw/words.h"

#include <algorithm>

namespace nunchi::draw {
namespace {

constexpr double gap = 8, swatch = 22, box = 12, dot = 4;

TextStyle head_title(Canvas& canvas, double width) { return lines_within(title_style(canvas.theme()), width, 3); }
TextStyle head_subtitle(Canvas& canvas, double width) { return lines_within(quiet_style(canvas.theme()), width); }

double swatch_width(Mark mark) { return mark == Mark::box ? box : swatch; }

void draw_mark(Canvas& canvas, const LegendEntry& entry, const Point& left) {
  switch (entry.mark) {
    case Mark::box:
      return canvas.fill({left.x, left.y - box / 2, box, box}, entry.color, 2);
    case Mark::dot:
      return canvas.circle({left.x + swatch / 2, left.y}, dot, entry.color);
    case Mark::line:
      return canvas.line(left, {left.x + swatch, left.y}, {.color = entry.color, .width = 3});
    case Mark::dashes:
      return canvas.line(left, {left.x + swatch, left.y}, {.color = entry.color, .width = 2, .dashed = true});
  }
}

struct PlacedEntry {
  const LegendEntry* entry;
  Point at;
  TextStyle style;
  Size size;  // of the name
};

struct PlacedLegend {
  std::vector<PlacedEntry> entries = {};
  double height = 0;
};

PlacedLegend lay_out(Canvas& canvas, std::span<const LegendEntry> entries, double width) {
  PlacedLegend placed;
  double x = 0, y = 0, row_height = 0;
  for (const auto& entry : entries) {
    if (entry.name.empty()) continue;
    const double mark = swatch_width(entry.mark) + 6;
    const auto style = within(plain_style(canvas.theme()), width - mark);
    const Size size = canvas.measure(entry.name, style);
    if (x > 0 && x + mark + size.width > width) {
      x = 0;
      y += row_height + 4;
    }
    placed.entries.push_back({&entry, {x, y}, style, size});
    x += mark + size.width + 2 * gap;
    row_height = std::max(size.height, box);
  }
  placed.height = placed.entries.empty() ? 0 : y + row_height + gap + 4;
  return placed;
}

}  // namespace

TextStyle within(TextStyle style, double width, Align align) {
  style.most_width = std::max(width, 1.0);
  style.align = align;
  return style;
}

TextStyle lines_within(TextStyle style, double width, int most_lines, Align align) {
  style = within(style, width, align);
  style.several_lines = true;
  style.most_lines = most_lines;
  return style;
}

Canvas ruler() { return Canvas(1, 1, {.pixels_per_point = 1}); }

double height_of(Canvas& canvas, const std::string& text, const TextStyle& style) {
  return text.empty() ? 0 : canvas.measure(text, style).height;
}

double head_height(Canvas& canvas, const Head& head, double width) {
  double height = 0;
  if (!head.title.empty()) height += canvas.measure(head.title, head_title(canvas, width)).height + 2;
  if (!head.subtitle.empty()) height += canvas.measure(head.subtitle, head_subtitle(canvas, width)).height;
  return height > 0 ? height + gap : 0;
}

double draw_head(Canvas& canvas, const Head& head, const Point& at, double width) {
  double y = at.y;
  if (!head.title.empty()) y += canvas.text(head.title, {at.x, y}, head_title(canvas, width)).height + 2;
  if (!head.subtitle.empty()) canvas.text(head.subtitle, {at.x, y}, head_subtitle(canvas, width));
  return head_height(canvas, head, width);
}

double legend_height(Canvas& canvas, std::span<const LegendEntry> entries, double width) {
  return lay_out(canvas, entries, width).height;
}

double draw_legend(Canvas& canvas, std::span<const LegendEntry> entries, const Point& at, double width) {
  const auto placed = lay_out(canvas, entries, width);
  for (const auto& [entry, offset, style, size] : placed.entries) {
    const Point corner = {at.x + offset.x, at.y + offset.y};
    draw_mark(canvas, *entry, {corner.x, corner.y + size.height / 2});
    canvas.text(entry->name, {corner.x + swatch_width(entry->mark) + 6, corner.y}, style);
  }
  return placed.height;
}

}  // namespace nunchi::draw
