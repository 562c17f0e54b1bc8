#include "draw/figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/assert.h"
#include "draw/color_bar.h"

namespace nunchi::draw {
namespace {

constexpr double gap = 8, panel_gap = 16, least_width = 320, most_heading = 110, most_shared_bar = 340;
constexpr int lines_of_title = 2, lines_of_heading = 3, lines_of_note = 4;

// One row of the grid, its parts from the top.
struct Row {
  double top = 0, title = 0, body = 0, bar = 0, note = 0;  // heights

  double bottom() const { return top + title + body + bar + note; }
};

// Everything measured, before there is a sheet.
struct Layout {
  double inside = 0;    // the width between the margins
  double left = 0;      // of the first column
  double headings = 0;  // height of those of the columns
  std::vector<Row> rows = {};
  double bottom = 0;  // of the grid
  double height = 0;
};

struct Styles {
  explicit Styles(const Figure& figure)
      : heading(lines_within(heading_style(figure.theme), figure.panel_width, lines_of_heading)),
        row_heading(lines_within(heading_style(figure.theme), most_heading, lines_of_heading)),
        title(lines_within(plain_style(figure.theme), figure.panel_width, lines_of_title)),
        note(lines_within(small_style(figure.theme), figure.panel_width, lines_of_note)) {}

  TextStyle heading, row_heading, title, note;
};

double sized(double height, double space) { return height > 0 ? height + space : 0; }

bool is_empty(const Panel& panel) { return !panel.picture && !panel.heat && !panel.labels && !panel.chart; }

// Width by height.
Size proportion(const Panel& panel) {
  if (panel.chart) return {4, 3};
  if (panel.picture) return {static_cast<double>(panel.picture->width), static_cast<double>(panel.picture->height)};
  if (panel.heat) return {static_cast<double>(panel.heat->columns), static_cast<double>(panel.heat->rows)};
  return {static_cast<double>(panel.labels->columns), static_cast<double>(panel.labels->rows)};
}

// A picture much higher than wide does not make the row as high as it would like.
double wanted_height(const Figure& figure, const Panel& panel) {
  if (figure.panel_height) return *figure.panel_height;
  const Size size = proportion(panel);
  return std::min(1.5 * figure.panel_width, figure.panel_width * size.height / size.width);
}

Rectangle place_of(const Panel& panel, const Rectangle& room) {
  if (panel.chart) return room;
  const Size size = proportion(panel);
  const double scale = std::min(room.width / size.width, room.height / size.height);
  return {room.x, room.y, size.width * scale, size.height * scale};
}

std::array<double, 2> colored_range(const Panel& panel) {
  const auto ends = ends_of(*panel.heat);
  return {panel.heat_options.least.value_or(ends[0]), panel.heat_options.greatest.value_or(ends[1])};
}

ColorBar bar_of(const Figure& figure, const Panel& panel) {
  const auto [least, greatest] = colored_range(panel);
  return {.title = figure.color_bar_title,
          .colors = panel.heat_options.colors,
          .least = least,
          .greatest = greatest,
          .format = figure.color_bar_format};
}

// The same ends for all heat maps.
void share_colors(Figure& figure) {
  std::optional<std::array<double, 2>> all;
  for (const Panel& panel : figure.panels) {
    if (!panel.heat) continue;
    const auto [least, greatest] = colored_range(panel);
    all = all ? std::array{std::min((*all)[0], least), std::max((*all)[1], greatest)} : std::array{least, greatest};
  }
  for (Panel& panel : figure.panels) {
    if (!panel.heat) continue;
    panel.heat_options.least = static_cast<float>((*all)[0]);
    panel.heat_options.greatest = static_cast<float>((*all)[1]);
  }
}

const Panel* first_with_heat(const Figure& figure) {
  const auto found = std::ranges::find_if(figure.panels, [](const Panel& panel) { return panel.heat.has_value(); });
  return found == figure.panels.end() ? nullptr : &*found;
}

std::optional<ColorBar> shared_bar(const Figure& figure) {
  const Panel* panel = first_with_heat(figure);
  return figure.color_bars == ColorBars::shared && panel != nullptr ? std::optional(bar_of(figure, *panel))
                                                                    : std::nullopt;
}

double shared_bar_width(const Layout& layout) {
  return std::min(margin + layout.inside - layout.left, most_shared_bar);
}

Row measure_row(Canvas& canvas, const Figure& figure, const Styles& styles, std::span<const Panel> panels) {
  Row row;
  for (const Panel& panel : panels) {
    if (is_empty(panel)) continue;
    row.title = std::max(row.title, sized(height_of(canvas, panel.title, styles.title), 4));
    row.body = std::max(row.body, wanted_height(figure, panel));
    row.note = std::max(row.note, sized(height_of(canvas, panel.note, styles.note), 0));
    if (figure.color_bars == ColorBars::each && panel.heat)
      row.bar = std::max(row.bar, gap + color_bar_height(canvas, bar_of(figure, panel), figure.panel_width));
  }
  row.note = sized(row.note, 4);
  return row;
}

// Below the grid, in the order in which they are drawn.
double words_below(Canvas& canvas, const Figure& figure, const Layout& layout) {
  const double width = layout.inside;
  double height = 0;
  if (const auto bar = shared_bar(figure))
    height += panel_gap + color_bar_height(canvas, *bar, shared_bar_width(layout));
  if (const double legend = legend_height(canvas, figure.legend, width); legend > 0) height += panel_gap + legend - gap;
  for (const auto& note : figure.notes)
    height += gap + height_of(canvas, note, lines_within(quiet_style(figure.theme), width));
  if (!figure.footer.empty())
    height += panel_gap + height_of(canvas, figure.footer, lines_within(small_style(figure.theme), width));
  return height;
}

std::span<const Panel> panels_of_row(const Figure& figure, std::size_t row) {
  const std::size_t first = row * figure.columns;
  return std::span(figure.panels).subspan(first, std::min(figure.columns, figure.panels.size() - first));
}

Layout lay_out(const Figure& figure) {
  Canvas canvas = ruler();
  const Styles styles(figure);
  Layout layout;
  double heading_width = 0;
  for (const auto& heading : figure.row_headings)
    heading_width = std::max(heading_width, canvas.measure(heading, styles.row_heading).width);
  layout.left = margin + sized(std::ceil(heading_width), panel_gap);
  const auto columns = static_cast<double>(figure.columns);
  const double grid = columns * figure.panel_width + (columns - 1) * panel_gap;
  layout.inside = std::max(layout.left - margin + grid, least_width);
  double y = margin + sized(head_height(canvas, {figure.title, figure.subtitle}, layout.inside), 4);
  for (const auto& heading : figure.column_headings)
    layout.headings = std::max(layout.headings, sized(height_of(canvas, heading, styles.heading), 6));
  y += layout.headings;
  for (std::size_t row = 0; row * figure.columns < figure.panels.size(); ++row) {
    layout.rows.push_back(measure_row(canvas, figure, styles, panels_of_row(figure, row)));
    layout.rows.back().top = y;
    y = layout.rows.back().bottom() + panel_gap;
  }
  layout.bottom = y - panel_gap;
  layout.height = layout.bottom + words_below(canvas, figure, layout) + margin;
  return layout;
}

void draw_body(Canvas& canvas, const Panel& panel, const Rectangle& place) {
  if (panel.chart) return panel.chart(canvas, place);
  canvas.begin_clip(place, panel.scaling == Scaling::pixels ? 0 : 4);
  if (!panel.heat && !panel.labels) {
    canvas.picture(*panel.picture, place, panel.scaling);
  } else {
    const auto pixels = [&](double points) {
      return std::max(1, static_cast<int>(std::lround(points * canvas.resolution())));
    };
    const auto picture = panel_picture(panel, pixels(place.width), pixels(place.height), canvas.resolution());
    const bool photo = panel.picture && panel.scaling == Scaling::photo;
    canvas.picture(picture, place, photo ? Scaling::photo : Scaling::smooth);
  }
  for (const auto& contour : panel.contours) {
    for (const auto& [from, to] : contour_lines(*panel.heat, contour.level)) {
      canvas.line({place.x + from.x * place.width, place.y + from.y * place.height},
                  {place.x + to.x * place.width, place.y + to.y * place.height},
                  {.color = contour.color, .width = contour.width});
    }
  }
  canvas.end_clip();
}

void draw_panel(Canvas& canvas, const Figure& figure, const Styles& styles, const Panel& panel, double x,
                const Row& row) {
  if (is_empty(panel)) return;
  // Titles of one line stand directly above their pictures beside those of two.
  double y = row.top + row.title - sized(height_of(canvas, panel.title, styles.title), 4);
  if (!panel.title.empty()) canvas.text(panel.title, {x, y}, styles.title);
  y = row.top + row.title;
  const Rectangle place = place_of(panel, {x, y, figure.panel_width, row.body});
  draw_body(canvas, panel, place);
  y += row.body;
  if (figure.color_bars == ColorBars::each && panel.heat)
    draw_color_bar(canvas, bar_of(figure, panel), {x, place.bottom() + gap}, figure.panel_width);
  if (!panel.note.empty()) canvas.text(panel.note, {x, y + row.bar + 4}, styles.note);
}

void draw_words_below(Canvas& canvas, const Figure& figure, const Layout& layout) {
  double y = layout.bottom;
  if (const auto bar = shared_bar(figure))
    y += panel_gap + draw_color_bar(canvas, *bar, {layout.left, y + panel_gap}, shared_bar_width(layout));
  if (legend_height(canvas, figure.legend, layout.inside) > 0)
    y += panel_gap - gap + draw_legend(canvas, figure.legend, {margin, y + panel_gap}, layout.inside);
  for (const auto& note : figure.notes)
    y += gap + canvas.text(note, {margin, y + gap}, lines_within(quiet_style(figure.theme), layout.inside)).height;
  if (!figure.footer.empty())
    canvas.text(figure.footer, {margin, y + panel_gap}, lines_within(small_style(figure.theme), layout.inside));
}

void draw_figure(Canvas& canvas, const Figure& figure, const Layout& layout) {
  const Styles styles(figure);
  const double below =
      margin + sized(draw_head(canvas, {figure.title, figure.subtitle}, {margin, margin}, layout.inside), 4);
  const auto left_of = [&](std::size_t column) {
    return layout.left + static_cast<double>(column) * (figure.panel_width + panel_gap);
  };
  for (std::size_t i = 0; i < figure.column_headings.size(); ++i) {
    const double height = height_of(canvas, figure.column_headings[i], styles.heading);
    canvas.text(figure.column_headings[i], {left_of(i), below + layout.headings - sized(height, 6)}, styles.heading);
  }
  for (std::size_t i = 0; i < figure.row_headings.size(); ++i) {
    const Row& row = layout.rows[i];
    const double height = height_of(canvas, figure.row_headings[i], styles.row_heading);
    canvas.text(figure.row_headings[i], {margin, row.top + row.title + std::max(0.0, (row.body - height) / 2)},
                styles.row_heading);
  }
  for (std::size_t i = 0; i < figure.panels.size(); ++i)
    draw_panel(canvas, figure, styles, figure.panels[i], left_of(i % figure.columns), layout.rows[i / figure.columns]);
  draw_words_below(canvas, figure, layout);
}

}  // namespace

Drawing drawing(const Figure& figure) {
  ASSERT(!figure.panels.empty() && figure.columns > 0, "a figure has a panel and a column");
  for (const Panel& panel : figure.panels) ASSERT(panel.contours.empty() || panel.heat, "contours are of a heat map");
  auto shown = figure;
  if (shown.column_headings.empty()) shown.columns = std::min(shown.columns, shown.panels.size());
  if (shown.color_bars == ColorBars::shared) share_colors(shown);
  const Layout layout = lay_out(shown);
  ASSERT(figure.column_headings.empty() || figure.column_headings.size() == figure.columns,
         "each column has a heading");
  ASSERT(figure.row_headings.empty() || figure.row_headings.size() == layout.rows.size(), "each row has a heading");
  const double width = layout.inside + 2 * margin;
  constexpr double largest = 10'000;  // a PNG has two pixels for each
  if (width > largest || layout.height > largest) {
    throw Error(ErrorKind::usage,
                fmt::format("{} panels in {} columns make a sheet of {:.0f} x {:.0f} points; expected at most {:.0f} x "
                            "{:.0f}: show fewer at once, or make them smaller",
                            figure.panels.size(), figure.columns, width, layout.height, largest, largest));
  }
  return {.width = width,
          .height = std::ceil(layout.height),
          .draw = [shared = std::make_shared<const Figure>(shown),
                   layout](Canvas& canvas) { draw_figure(canvas, *shared, layout); },
          .theme = shown.theme};
}

}  // namespace nunchi::draw
