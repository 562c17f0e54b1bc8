// draw/heat_map_chart.h: a table of numbers as colours: a confusion matrix, what each head attends to, which are alike.
//
//   HeatMapChart chart{.title = "Confusion", .rows = classes, .columns = classes, .values = counts, .decimals = 0};
//   chart.rows_title = "is";
//   chart.columns_title = "was taken for";
//   write_drawing("confusion.png", drawing(chart));
#pragma once

#include <array>
#include <optional>

#include "draw/color_bar.h"
#include "draw/drawing.h"

namespace nunchi::draw {

struct HeatMapChart {
  std::string title = {}, subtitle = {};
  std::vector<std::string> rows = {}, columns = {};  // names; those of one side may be empty words
  std::vector<double> values = {};                   // [rows, columns]; one that is no finite number is grey
  std::string rows_title = {}, columns_title = {};
  std::vector<image::Picture> row_thumbnails = {}, column_thumbnails = {};  // none, or one for each
  std::optional<double> least = {}, greatest = {};  // the ends of the colours; without: those of the values
  ColorMap colors = ColorMap::viridis;
  std::string color_bar_title = {};
  bool figures = true;  // in the cells, where they fit
  int decimals = 2;     // of those
  NumberFormat format = NumberFormat::plain;
  double width = 760;  // points; the height follows
};

// Asserts that the numbers of names, thumbnails and values fit together, and that there is at least one.
Drawing drawing(const HeatMapChart& chart, const Theme& theme = light_theme);

// The same onto a part of a canvas; `width` does not count, and cells are as low as the place needs them.
void draw_heat_map_chart(Canvas& canvas, const HeatMapChart& chart, const Rectangle& place);

}  // namespace nunchi::draw
