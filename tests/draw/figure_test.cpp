#include "draw/figure.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "draw/drawn.h"
#include "draw/line_chart.h"
#include "image/crop.h"

namespace nunchi::draw {
namespace {

image::Picture photo() {
  static const auto picture = image::read_picture(NUNCHI_SOURCE_DIR "/assets/photos/dog.jpg");
  return picture;
}

HeatMap hill(int side, double row, double column) {
  HeatMap map{.rows = side, .columns = side, .values = {}};
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x)
      map.values.push_back(static_cast<float>(std::exp(-std::hypot(y - row * side, x - column * side) / (0.2 * side))));
  }
  return map;
}

LabelMap quarters() {
  LabelMap map{.rows = 12, .columns = 12, .labels = {}};
  for (int i = 0; i < 144; ++i) map.labels.push_back(i < 72 ? (i % 12 < 6 ? -1 : 1) : (i % 12 < 6 ? 2 : 5));
  return map;
}

Figure example() {
  Figure figure{.title = "Where the network looks",
                .subtitle = "vit-tiny on dog.jpg, class “terrier”",
                .color_bars = ColorBars::shared,
                .color_bar_title = "attention of the class token"};
  figure.panels = {
      {.title = "photo", .picture = photo()},
      {.title = "attention", .note = "last block, mean of the heads", .picture = photo(), .heat = hill(14, 0.4, 0.5)},
      {.title = "attention alone", .heat = hill(14, 0.2, 0.8), .heat_options = {.patches = true}},
      {.title = "outline of the hottest half",
       .picture = photo(),
       .heat = hill(14, 0.4, 0.5),
       .heat_options = {.opacity = 0},
       .contours = {{.level = 0.3f}, {.level = 0.6f, .color = rgb(0xd55e00), .width = 1}}},
      {.title = "segments", .picture = photo(), .labels = quarters(), .label_options = {.smooth = true, .outline = 1}},
      {.title = "segments alone", .labels = quarters()}};
  figure.legend = {{"background", class_color(1)}, {"개", class_color(2)}, {"grass", class_color(5)}};
  figure.notes = {"Grad-CAM of the last block."};
  figure.footer = "nunchi 0.1";
  return figure;
}

TEST(Figure, ShowsEverythingAndCutsNothing) {
  const auto picture = drawn(png_of(drawing(example())), "figure");
  EXPECT_TRUE(has_a_clean_edge(picture));
  EXPECT_GT(count_of(picture, class_color(2)), 45'000);  // a quarter of the panel, and the legend
  EXPECT_GT(count_of(picture, color_of(ColorMap::viridis, 1)), 500);
}

// The first panel is the photo itself: compared by structure, since it is resized on its way.
TEST(Figure, APanelHoldsItsPicture) {
  const Figure figure{.panels = {{.picture = photo()}}, .columns = 1, .panel_width = 320};
  const auto picture = drawn(png_of(drawing(figure)), "figure_photo");
  const int height = static_cast<int>(std::lround(640.0 * photo().height / photo().width));
  EXPECT_GT(likeness(image::crop(picture, {36, 36, 640, height}), photo()), 0.99);
}

TEST(Figure, EveryWordFitsHoweverLong) {
  auto figure = example();
  const std::string words = "아주 긴 이름 a name of many words which goes on and on and has no end ";
  figure.title = figure.subtitle = figure.footer = figure.color_bar_title = words + words + words + words + words;
  figure.notes = {words + words + words, std::string(500, 'x')};
  figure.column_headings = {words, std::string(300, 'y'), "short"};
  figure.row_headings = {words + words, std::string(200, 'z')};
  for (auto& panel : figure.panels) panel.title = panel.note = words + words;
  for (int i = 0; i < 30; ++i)
    figure.legend.push_back({words.substr(0, static_cast<std::size_t>(3 * i)), class_color(6)});
  EXPECT_TRUE(has_a_clean_edge(drawn(png_of(drawing(figure)), "figure_words")));
  figure.color_bars = ColorBars::each;
  figure.panel_width = 70;
  EXPECT_TRUE(has_a_clean_edge(drawn(png_of(drawing(figure)), "figure_narrow")));
}

TEST(Figure, SharedColoursMeanTheSameInEveryPanel) {
  const HeatMap low = {.rows = 1, .columns = 2, .values = {0, 1}}, high = {.rows = 1, .columns = 2, .values = {1, 4}};
  Figure figure{
      .panels = {{.heat = low, .heat_options = {.patches = true}}, {.heat = high, .heat_options = {.patches = true}}},
      .columns = 2,
      .color_bars = ColorBars::shared};
  const auto quarter = color_of(ColorMap::viridis, 0.25);  // 1, in both
  const auto shared = count_of(drawn(png_of(drawing(figure)), "figure_shared"), quarter);
  figure.color_bars = ColorBars::none;
  const auto own = count_of(image::decode(png_of(drawing(figure)), "own"), quarter);
  EXPECT_GT(shared, own + 2 * 200 * 200);
}

TEST(Figure, PanelsMayBeChartsOrEmpty) {
  const LineChart chart{.title = "loss", .series = {{.name = "loss", .x = {1, 2, 3}, .y = {3, 2, 1.5}}}};
  Figure figure{
      .panels = {{.title = "attention", .heat = hill(14, 0.4, 0.5)},
                 {},
                 {.title = "training",
                  .chart = [&](Canvas& canvas, const Rectangle& place) { draw_line_chart(canvas, chart, place); }}},
      .panel_height = 240,
      .theme = dark_theme};
  const auto picture = drawn(png_of(drawing(figure)), "figure_chart");
  EXPECT_GT(count_of(picture, series_color(0)), 300);
  EXPECT_EQ(count_of(picture, paper), 0);  // nothing forgot that it is dark
}

TEST(Figure, IsAPdfAndAnSvgToo) {
  const auto figure = drawing(example());
  const auto pdf = kept(pdf_of({&figure, 1}), "figure.pdf");
  EXPECT_TRUE(is_pdf(pdf));
  EXPECT_LT(pdf.size(), 1'000'000u);  // its photos are JPEGs
  EXPECT_EQ(occurrences(pdf, "/DCTDecode"), 4);
  EXPECT_TRUE(is_well_formed(kept(svg_of(figure), "figure.svg")));
}

TEST(Figure, WhatDoesNotFitTogetherIsOurOwnBugAndWhatIsTooLargeTheUsers) {
  EXPECT_THROW(drawing(Figure{}), Error);
  auto figure = example();
  figure.row_headings = {"one"};
  EXPECT_THROW(drawing(figure), Error);
  figure = example();
  figure.panels[0].contours = {{}};
  EXPECT_THROW(drawing(figure), Error);
  figure = example();
  figure.panels.resize(200);
  for (auto& panel : figure.panels) panel = {.heat = hill(2, 0.5, 0.5)};
  figure.columns = 1;
  try {
    drawing(figure);
    FAIL() << "it fits";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
  }
}

}  // namespace
}  // namespace nunchi::draw
