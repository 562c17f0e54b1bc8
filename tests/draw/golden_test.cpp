// Every kind of drawing against a picture of it in tests/golden/drawings that people have looked at. Fonts and cairo's
// antialiasing differ from system to system, so what is compared is the structure: the size within 2 %, the mean SSIM
// at least 0.95, and 98 % of the pixels within 48 of 255. After a change that is meant: NUNCHI_DRAWN=FOLDER draw_tests
// --gtest_filter='GoldenDrawings*', look at what is in the folder, and keep it in 64 colours (pngquant 64).
#include <gtest/gtest.h>

#include "draw/bar_chart.h"
#include "draw/box_plot.h"
#include "draw/drawn.h"
#include "draw/figure.h"
#include "draw/heat_map_chart.h"
#include "draw/histogram.h"
#include "draw/line_chart.h"
#include "draw/matrix.h"
#include "draw/scatter_chart.h"

namespace nunchi::draw {
namespace {

HeatMap hill() {
  HeatMap map{.rows = 8, .columns = 8, .values = {}};
  for (int i = 0; i < 64; ++i)
    map.values.push_back(static_cast<float>(std::exp(-std::hypot(i / 8 - 2.5, i % 8 - 3.0) / 2)));
  return map;
}

LabelMap quarters() {
  LabelMap map{.rows = 2, .columns = 2, .labels = {-1, 1, 2, 5}};
  return map;
}

// A disc on a ground that grows brighter: a few kilobytes as PNG.
image::Picture scene() {
  auto picture = image::make_picture(96, 96);
  for (int y = 0; y < 96; ++y) {
    for (int x = 0; x < 96; ++x) {
      const bool disc = std::hypot(x - 36, y - 30) < 20;
      const auto ground = static_cast<std::uint8_t>(60 + y);
      std::ranges::copy(disc ? std::array<std::uint8_t, 3>{200, 120, 60} : std::array<std::uint8_t, 3>{40, ground, 90},
                        picture.row(y) + 3 * x);
    }
  }
  return picture;
}

Figure figure() {
  const auto photo = scene();
  Figure figure{.title = "Where the network looks",
                .subtitle = "개 사진 한 장, 두 방법",
                .color_bars = ColorBars::each,
                .legend = {{"dog", class_color(1)}, {"grass", class_color(2)}},
                .notes = {"The line encloses the hottest part."},
                .panel_width = 160};
  figure.panels = {{.title = "photo", .picture = photo},
                   {.title = "attention", .note = "mean of the heads", .picture = photo, .heat = hill()},
                   {.title = "patches", .heat = hill(), .heat_options = {.colors = ColorMap::turbo, .patches = true}},
                   {.title = "outline",
                    .picture = photo,
                    .heat = hill(),
                    .heat_options = {.opacity = 0},
                    .contours = {{.level = 0.4f}}},
                   {.title = "segments", .picture = photo, .labels = quarters(), .label_options = {.outline = 1}},
                   {.title = "segments alone", .labels = quarters()}};
  return figure;
}

LineChart lines() {
  return {.title = "Loss",
          .x = {.title = "epoch", .whole_numbers = true},
          .y = {.title = "cross-entropy", .logarithmic = true},
          .series = {{.name = "training", .x = {1, 2, 3, 4, 5}, .y = {2.3, 1.1, 0.6, 0.3, 0.16}},
                     {.name = "validation", .x = {1, 2, 3, 4, 5}, .y = {2.2, 1.2, 0.8, 0.6, 0.55}, .dashed = true}},
          .width = 420,
          .height = 280};
}

BarChart bars() {
  return {.title = "Time of a picture",
          .names = {"vit-tiny", "swin-tiny", "resnet-50"},
          .values = {.title = "ms"},
          .series = {{.name = "fp32", .values = {21, 34, 28}, .errors = {2, 3, 1}},
                     {.name = "int8", .values = {9, 16, 12}, .errors = {1, 1, 2}}},
          .width = 420,
          .height = 280};
}

constexpr double pixels_per_point = 0.5;

std::vector<double> numbers(int count, double scale) {
  std::vector<double> all;
  for (int i = 0; i < count; ++i) all.push_back(scale * (i * 37 % 101) / 101.0 + (i == 7 ? 2 * scale : 0));
  return all;
}

BoxPlot boxes() {
  return {.title = "Times",
          .values = {.title = "ms"},
          .boxes = {box_of("a", numbers(60, 10)), box_of("b", numbers(60, 16)), box_of("c", numbers(20, 7))},
          .width = 420,
          .height = 280};
}

HistogramChart histogram() {
  auto bins = empty_histogram("weights", -1, 1, 40);
  std::vector<float> values;
  for (int i = 0; i < 2000; ++i)
    values.push_back(static_cast<float>(std::tanh(std::tan(1.4 * std::sin(i * 0.37)) / 3)));
  count(bins, values);
  return {.title = "Weights", .x = {.title = "weight"}, .series = {bins}, .width = 420, .height = 280};
}

ScatterChart scatter() {
  ScatterChart chart{.title = "Pictures in the plane", .groups = {"cats", "dogs"}, .width = 420, .height = 320};
  for (int i = 0; i < 80; ++i) {
    const double turn = i * 2.4, radius = std::sqrt(i) / 9;
    chart.points.push_back(
        {radius * std::cos(turn) + (i % 2 == 0 ? 1.2 : 0), radius * std::sin(turn), static_cast<std::size_t>(i % 2)});
  }
  return chart;
}

HeatMapChart confusions() {
  return {.title = "Confusions",
          .rows = {"cat", "dog", "ship"},
          .columns = {"cat", "dog", "ship"},
          .values = {0.9, 0.1, 0, 0.2, 0.75, 0.05, 0, 0.02, 0.98},
          .rows_title = "is",
          .columns_title = "was taken for",
          .least = 0,
          .greatest = 1,
          .color_bar_title = "share",
          .width = 420};
}

SimilarityMatrix matrix() {
  return {.title = "Alike",
          .names = {"a", "b", "c"},
          .thumbnails = {},
          .values = {1, 0.8, -0.2, 0.8, 1, 0.1, -0.2, 0.1, 1},
          .width = 360};
}

Figure dark_figure() {
  auto dark = figure();
  dark.theme = dark_theme;
  dark.panels.resize(3);
  return dark;
}

struct Golden {
  const char* name;
  Drawing drawing;
};

std::vector<Golden> all() {
  return {{"figure", drawing(figure())},         {"figure_dark", drawing(dark_figure())},
          {"line_chart", drawing(lines())},      {"line_chart_dark", drawing(lines(), dark_theme)},
          {"bar_chart", drawing(bars())},        {"box_plot", drawing(boxes())},
          {"histogram", drawing(histogram())},   {"scatter", drawing(scatter())},
          {"confusions", drawing(confusions())}, {"matrix", drawing(matrix())}};
}

double share_of_near_pixels(const image::Picture& a, const image::Picture& b) {
  constexpr int tolerance = 48;
  const auto same_size = image::resize(b, a.width, a.height);
  std::int64_t near = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) near += std::abs(a.pixels[i] - same_size.pixels[i]) <= tolerance;
  return static_cast<double>(near) / static_cast<double>(a.pixels.size());
}

TEST(GoldenDrawings, LookAsTheyDid) {
  for (const auto& [name, drawing] : all()) {
    const auto now = drawn(png_of(drawing, pixels_per_point), name);
    const auto golden = image::read_picture(std::string(NUNCHI_SOURCE_DIR "/tests/golden/drawings/") + name + ".png");
    EXPECT_NEAR(now.width, golden.width, 0.02 * golden.width) << name;
    EXPECT_NEAR(now.height, golden.height, 0.02 * golden.height) << name;
    EXPECT_GT(likeness(now, golden), 0.95) << name;
    EXPECT_GT(share_of_near_pixels(now, golden), 0.98) << name;
  }
}

// A series, a label or a colour that is missing is seen.
TEST(GoldenDrawings, AChangeIsSeen) {
  auto chart = bars();
  chart.series.pop_back();
  const auto whole = image::decode(png_of(drawing(bars()), pixels_per_point), "whole");
  EXPECT_LT(likeness(image::decode(png_of(drawing(chart), pixels_per_point), "less"), whole), 0.95);
  auto other = figure();
  other.panels[2].heat_options.colors = ColorMap::viridis;
  const auto before = image::decode(png_of(drawing(figure()), pixels_per_point), "before");
  EXPECT_LT(share_of_near_pixels(image::decode(png_of(drawing(other), pixels_per_point), "after"), before), 0.98);
}

// R059: one class has one colour in every panel, whatever else is in it.
TEST(GoldenDrawings, AClassHasOneColourInTruthAndPrediction) {
  const LabelMap truth{.rows = 1, .columns = 3, .labels = {0, 4, 9}},
      found{.rows = 1, .columns = 3, .labels = {9, 9, 4}};
  const auto first = panel_picture({.labels = truth}, 30, 10, 1), second = panel_picture({.labels = found}, 30, 10, 1);
  const auto color = [](const image::Picture& picture, int x) {
    const auto* pixel = picture.row(5) + 3 * x;
    return std::array{pixel[0], pixel[1], pixel[2]};
  };
  EXPECT_EQ(color(first, 25), color(second, 5));
  EXPECT_EQ(color(first, 15), color(second, 25));
  EXPECT_NE(color(first, 5), color(first, 15));
}

}  // namespace
}  // namespace nunchi::draw
