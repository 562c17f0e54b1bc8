#include "draw/line_chart.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "draw/drawn.h"
#include "image/crop.h"

namespace nunchi::draw {
namespace {

LineChart training_run(int epochs) {
  LineChart chart{.title = "ViT, 9 blocks of 192, on CIFAR-10 (JPEG)",
                  .subtitle = "50,000 pictures, 100 epochs, two cores in bf16",
                  .x = {.title = "epoch", .whole_numbers = true},
                  .y = {.title = "loss", .least = 0},
                  .second_y = {.title = "accuracy", .least = 0, .greatest = 1, .format = NumberFormat::percent}};
  chart.series = {{.name = "training loss"},
                  {.name = "validation loss"},
                  {.name = "validation accuracy", .on_second_y = true},
                  {.name = "of the mean weights", .on_second_y = true, .dashed = true}};
  for (int i = 1; i <= epochs; ++i) {
    const double progress = static_cast<double>(i) / epochs, ripple = 0.03 * std::sin(7.0 * i);
    for (auto& series : chart.series) series.x.push_back(i);
    chart.series[0].y.push_back(0.7 + 1.6 * std::exp(-4 * progress) + ripple);
    chart.series[1].y.push_back(0.8 + 1.4 * std::exp(-5 * progress) + 2 * ripple);
    chart.series[2].y.push_back(0.78 - 0.6 * std::exp(-4 * progress) - ripple);
    chart.series[3].y.push_back(0.80 - 0.7 * std::exp(-5 * progress));
  }
  return chart;
}

TEST(LineChart, ShowsEverySeriesAndCutsNothing) {
  const auto picture = drawn(png_of(drawing(training_run(100))), "training");
  EXPECT_EQ(picture.width, 1520);
  EXPECT_EQ(picture.height, 880);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_GT(count_of(picture, series_color(i)), 500) << i;
  EXPECT_TRUE(has_a_clean_edge(picture));
}

TEST(LineChart, FewPointsAreDotsAndAGapStaysOne) {
  auto chart = training_run(9);
  chart.series.resize(1);
  const auto whole = count_of(drawn(png_of(drawing(chart)), "few"), series_color(0));
  for (const std::size_t i : {3, 4, 5}) chart.series[0].y[i] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_LT(count_of(drawn(png_of(drawing(chart)), "gap"), series_color(0)), 0.8 * static_cast<double>(whole));
}

// Left and right of the middle of the lowest line of ticks.
TEST(LineChart, ALogarithmicAxisGivesEveryFactorTheSameRoom) {
  LineChart chart{.x = {.logarithmic = true, .ticks = {1, 10, 100}}, .y = {.least = 0}};
  chart.series = {{.name = "", .x = {1, 10, 100}, .y = {1, 1, 1}, .joined = false}};
  const auto picture = drawn(png_of(drawing(chart)), "logarithmic");
  std::vector<int> columns;  // the first of each dot
  for (int x = 0, last = -100; x < picture.width; ++x) {
    const auto column = image::crop(picture, {x, 0, 1, picture.height});
    if (count_of(column, series_color(0)) == 0) continue;
    if (x > last + 1) columns.push_back(x);
    last = x;
  }
  ASSERT_EQ(columns.size(), 3u);
  EXPECT_NEAR(columns[1] - columns[0], columns[2] - columns[1], 2);
  chart.series[0].x[0] = 0;
  EXPECT_THROW(png_of(drawing(chart)), Error);
}

TEST(LineChart, LabelsStandBesidePointsWhereThereIsRoom) {
  LineChart chart{.title = "Pareto", .x = {.title = "pictures a second", .logarithmic = true}, .y = {.title = "top-1"}};
  chart.series = {{.name = "fp32", .x = {10, 12, 300, 2000}, .y = {0.8, 0.81, 0.7, 0.6}, .joined = false}};
  const auto without = count_of(drawn(png_of(drawing(chart)), "unlabelled"), quiet_ink);
  chart.series[0].labels = {"vit-base", "vit-large", "고양이", "a name that is much too long for the right edge"};
  const auto picture = drawn(png_of(drawing(chart)), "labelled");
  EXPECT_GT(count_of(picture, quiet_ink), without + 200);
  EXPECT_TRUE(has_a_clean_edge(picture));
  chart.series[0].labels.pop_back();
  EXPECT_THROW(png_of(drawing(chart)), Error);
}

TEST(LineChart, LongWordsAndManySeriesFit) {
  auto chart = training_run(60);
  chart.title =
      "훈련 곡선: 아주 긴 제목이 있어도 잘리거나 겹치지 않는다, even with a title that is much too long for it";
  chart.subtitle = "눈치";
  for (int i = 0; i < 8; ++i) {
    chart.series.push_back(chart.series[static_cast<std::size_t>(i % 2)]);
    chart.series.back().name = "검증 손실 " + std::to_string(i) + " of another recipe";
    for (auto& value : chart.series.back().y) value += 0.1 * i;
  }
  chart.series.front().name = std::string(200, 'x');
  chart.y.title = std::string(100, 'y');
  EXPECT_TRUE(has_a_clean_edge(drawn(png_of(drawing(chart)), "crowded")));
}

TEST(LineChart, SmallNumbersAndManySteps) {
  LineChart chart{.title = "Learning rate", .x = {.title = "step"}, .width = 420, .height = 240};
  chart.series.push_back({.name = "rate"});
  for (int i = 0; i <= 39'000; i += 10) {
    chart.series[0].x.push_back(i);
    chart.series[0].y.push_back(i < 2000 ? 1e-3 * i / 2000 : 5e-4 * (1 + std::cos(3.14159 * (i - 2000) / 37'000)));
  }
  EXPECT_TRUE(has_a_clean_edge(drawn(png_of(drawing(chart)), "steps")));
}

TEST(LineChart, OnePointOneSideOrNothing) {
  LineChart chart{.title = "One epoch", .x = {.title = "epoch", .whole_numbers = true}};
  chart.series = {{.name = "loss", .x = {1}, .y = {2.31}}};
  EXPECT_GT(count_of(drawn(png_of(drawing(chart)), "one"), series_color(0)), 20);
  chart.series[0].on_second_y = true;
  EXPECT_GT(count_of(drawn(png_of(drawing(chart)), "right"), series_color(0)), 20);
  chart.series[0].y[0] = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(has_a_clean_edge(drawn(png_of(drawing(chart)), "nothing")));
  chart.series.clear();
  EXPECT_TRUE(has_a_clean_edge(drawn(png_of(drawing(chart)), "no_series")));
  chart.series = {{.name = "loss", .x = {1, 2}, .y = {1}}};
  EXPECT_THROW(png_of(drawing(chart)), Error);
}

TEST(LineChart, ErrorBarsReachAsFarAsTheySay) {
  LineChart chart{.y = {.least = 0, .greatest = 10}};
  chart.series = {{.name = "", .x = {1, 2}, .y = {5, 5}, .errors = {1, 4}, .color = rgb(0xff0000)}};
  const auto picture = drawn(png_of(drawing(chart)), "errors");
  const auto half = [&](int left) {
    return extent_of(image::crop(picture, {left, 0, picture.width / 2, picture.height}), rgb(0xff0000)).height;
  };
  EXPECT_NEAR(half(picture.width / 2) / half(0), 4, 0.1);
  chart.y.logarithmic = true;
  chart.y.least = 0.1;
  chart.series[0].errors = {1, 6};  // reaches below zero: to the axis
  EXPECT_TRUE(has_a_clean_edge(drawn(png_of(drawing(chart)), "errors_logarithmic")));
  chart.series[0].errors.pop_back();
  EXPECT_THROW(png_of(drawing(chart)), Error);
}

TEST(LineChart, IsAnSvgToo) {
  const auto svg = svg_of(drawing(training_run(30)));
  EXPECT_THAT(svg, testing::StartsWith("<?xml"));
  EXPECT_THAT(svg, testing::HasSubstr("</svg>"));
  EXPECT_THAT(svg, testing::Not(testing::HasSubstr("<text")));  // letters are outlines
}

}  // namespace
}  // namespace nunchi::draw
