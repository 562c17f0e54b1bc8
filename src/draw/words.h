// draw/words.h: the words around a picture, the same in every chart: title, subtitle, legend.
//
//   const Head head{.title = "Loss", .subtitle = "100 epochs"};
//   double y = place.y + draw_head(canvas, head, {place.x, place.y}, place.width);      // its height
//   y += draw_legend(canvas, {{{"cat", class_color(0)}, {"dog", class_color(1)}}}, {place.x, y}, place.width);
//
// What is measured is what is drawn: *_height() says the same before there is a canvas of the right size.
#pragma once

#include "draw/canvas.h"

namespace nunchi::draw {

constexpr double margin = 18;  // of every sheet

inline TextStyle title_style(const Theme& theme) { return {.size = 16, .bold = true, .color = theme.ink}; }
inline TextStyle heading_style(const Theme& theme) { return {.size = 12, .bold = true, .color = theme.ink}; }
inline TextStyle plain_style(const Theme& theme) { return {.size = 12, .color = theme.ink}; }
inline TextStyle quiet_style(const Theme& theme) { return {.size = 12, .color = theme.quiet_ink}; }
inline TextStyle small_style(const Theme& theme) { return {.size = 11, .color = theme.quiet_ink}; }

// In one line: the middle of what is too long becomes "...".
TextStyle within(TextStyle style, double width, Align align = Align::left);

// In several; 0: in as many as it takes.
TextStyle lines_within(TextStyle style, double width, int most_lines = 0, Align align = Align::left);

// A canvas of no size, for measuring before the real one can be made.
Canvas ruler();

// The height of a text, none where it is empty.
double height_of(Canvas& canvas, const std::string& text, const TextStyle& style);

struct Head {
  std::string title = {}, subtitle = {};
};

// The title in up to three lines, the subtitle in as many as it takes, a gap below; 0 where both are empty.
double head_height(Canvas& canvas, const Head& head, double width);
double draw_head(Canvas& canvas, const Head& head, const Point& at, double width);

enum class Mark { box, dot, line, dashes };

struct LegendEntry {
  std::string name;
  Color color;
  Mark mark = Mark::box;
};

// In rows as wide as they may be, a gap below; entries without a name are left out.
double legend_height(Canvas& canvas, std::span<const LegendEntry> entries, double width);
double draw_legend(Canvas& canvas, std::span<const LegendEntry> entries, const Point& at, double width);

}  // namespace nunchi::draw
