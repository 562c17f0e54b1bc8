// draw/figure.h: pictures, heat maps, masks and charts side by side on one sheet, with all the words they need.
//
//   Figure figure{.title = "Where it looks", .columns = 3, .color_bars = ColorBars::shared, .color_bar_title =
//   "attention"}; figure.panels.push_back({.title = "photo", .picture = photo}); figure.panels.push_back({.title =
//   "Grad-CAM", .picture = photo, .heat = HeatMap{14, 14, values}}); figure.panels.push_back({.title = "loss", .chart =
//   [&](Canvas& c, const Rectangle& r) { draw_line_chart(c, loss, r); }}); write_drawing("figure.pdf",
//   drawing(figure));                        // draw/drawing.h: or .png, .svg
//
// All sizes are measured before anything is drawn: no word leaves the sheet. Long titles go on in the next line, names
// that are longer than that become "...".
#pragma once

#include "draw/drawing.h"
#include "draw/overlay.h"
#include "draw/ticks.h"
#include "draw/words.h"

namespace nunchi::draw {

// One place of the grid; one without a picture, a map or a chart stays empty.
struct Panel {
  std::string title = {}, note = {};  // above and below
  std::optional<image::Picture> picture = {};
  std::optional<HeatMap> heat = {};  // over the picture; without one, the heat map alone
  OverlayOptions heat_options = {};
  std::vector<ContourOptions> contours = {};                  // of `heat`, their widths in points
  std::optional<LabelMap> labels = {};                        // over the picture; without one, on paper
  LabelOptions label_options = {};                            // its outline in points
  std::function<void(Canvas&, const Rectangle&)> chart = {};  // instead of all these
  Scaling scaling = Scaling::photo;                           // pixels: for pictures of few of them
};

// Of the panels with a heat map: none; one for all, whose values then have the same colour everywhere; one below each.
enum class ColorBars { none, shared, each };

struct Figure {
  std::string title = {}, subtitle = {};
  std::vector<Panel> panels = {};  // row by row
  std::size_t columns = 3;
  std::vector<std::string> column_headings = {}, row_headings = {};  // none, or one for each
  ColorBars color_bars = ColorBars::none;
  std::string color_bar_title = {};
  NumberFormat color_bar_format = NumberFormat::plain;
  std::vector<LegendEntry> legend = {};
  std::vector<std::string> notes = {};
  std::string footer = {};
  double panel_width = 220;  // points
  std::optional<double> panel_height =
      {};  // without: as high as the highest picture of the row; charts 3/4 of the width
  Theme theme = light_theme;
};

// Asserts that there is a panel and a column, and that there are as many headings as rows and columns, or none. Throws
// Error (usage) where the sheet would be larger than 20,000 pixels.
Drawing drawing(const Figure& figure);

// What stands in a panel: its maps laid over its picture, in this many pixels. Contours are not in it.
image::Picture panel_picture(const Panel& panel, int width, int height, double pixels_per_point);

}  // namespace nunchi::draw
