#include "draw/bar_chart.h"

#include <gmock/gmock.h>

#include <limits>

#include "core/error.h"
#include "draw/drawn.h"

namespace nunchi::draw {
namespace {

BarChart times() {
  BarChart chart{.title = "Model Performance Comparison",
                 .subtitle = "batch 1, two threads, median of 30 with the quartiles",
                 .names = {"vit-tiny", "vit-base", "swin-tiny", "스윈 트랜스포머"},
                 .values = {.title = "Response Time (s)"}};
  chart.series = {{.name = "fp32", .values = {0.021, 0.091, 0.034, 0.072}, .errors = {0.002, 0.006, 0.003, 0.01}},
                  {.name = "int8", .values = {0.009, 0.033, 0.016, 0.031}, .errors = {0.001, 0.002, 0.001, 0.004}}};
  return chart;
}

TEST(BarChart, HasABarForEachValue) {
  for (const bool horizontal : {false, true}) {
    auto chart = times();
    chart.horizontal = horizontal;
    const auto picture = drawn(png_of(drawing(chart)), horizontal ? "bars_horizontal" : "bars");
    EXPECT_TRUE(has_a_clean_edge(picture));
    EXPECT_GT(count_of(picture, series_color(0)), 20'000);
    EXPECT_GT(count_of(picture, series_color(1)), 8'000);
  }
}

TEST(BarChart, BarsAreAsLongAsTheirValues) {
  for (const bool horizontal : {false, true}) {
    BarChart chart{.names = {"a", "b", "c"}, .horizontal = horizontal, .value_labels = false};
    chart.series = {{.name = "", .values = {4, -2, 0.5}, .color = rgb(0xff0000)}};
    std::vector<double> lengths;
    for (std::size_t name = 0; name < 3; ++name) {
      auto alone = chart;
      for (std::size_t other = 0; other < 3; ++other) {
        if (other != name) alone.series[0].values[other] = std::numeric_limits<double>::quiet_NaN();
      }
      alone.values = {.least = -2, .greatest = 4};
      const auto box = extent_of(image::decode(png_of(drawing(alone)), "bar"), rgb(0xff0000));
      lengths.push_back(horizontal ? box.width : box.height);
    }
    EXPECT_NEAR(lengths[0] / lengths[1], 2, 0.03) << horizontal;
    EXPECT_NEAR(lengths[0] / lengths[2], 8, 0.3) << horizontal;
  }
}

TEST(BarChart, ALogarithmicAxisGivesEveryFactorTheSameRoom) {
  BarChart chart{.names = {"a"}, .values = {.least = 1, .greatest = 1000, .logarithmic = true}, .value_labels = false};
  const auto height = [&](double value) {
    chart.series = {{.name = "", .values = {value}, .color = rgb(0xff0000)}};
    return extent_of(image::decode(png_of(drawing(chart)), "bar"), rgb(0xff0000)).height;
  };
  EXPECT_NEAR(height(100) / height(10), 2, 0.03);
}

TEST(BarChart, TheHighlightedOneStandsOut) {
  BarChart chart{
      .title = "Which word fits",
      .names = {"a photo of a cat", "a photo of a dog", "a photo of a bird", "a photo of a car", "고양이 사진"},
      .values = {.title = "probability", .least = 0, .greatest = 1, .format = NumberFormat::percent},
      .series = {{.name = "", .values = {0.03, 0.912, 0.041, 0.002, 1.0 / 64}}},
      .horizontal = true,
      .highlighted = 1,
      .height = 260};
  const auto picture = drawn(png_of(drawing(chart)), "bars_highlighted");
  EXPECT_GT(count_of(picture, series_color(0)), 40'000);
  EXPECT_TRUE(has_a_clean_edge(picture));
  chart.highlighted = 3;
  EXPECT_LT(count_of(image::decode(png_of(drawing(chart)), "other"), series_color(0)), 2'000);
}

TEST(BarChart, ManyBarsAndLongNamesFit) {
  for (const bool horizontal : {false, true}) {
    BarChart chart{.title = std::string(300, 't'), .horizontal = horizontal};
    chart.series = {{.name = "accuracy", .values = {}}};
    for (int i = 0; i < 28; ++i) {
      chart.names.push_back("a class with a very long name that does not fit, 아주 긴 이름 " + std::to_string(i));
      chart.series[0].values.push_back(i * i);
    }
    EXPECT_TRUE(has_a_clean_edge(drawn(png_of(drawing(chart)), horizontal ? "bars_many_h" : "bars_many")));
    chart.names.resize(5);
    chart.series[0].values.resize(5);
    EXPECT_TRUE(has_a_clean_edge(drawn(png_of(drawing(chart)), horizontal ? "bars_five_h" : "bars_five")));
  }
}

TEST(BarChart, NothingAndWhatDoesNotFitTogether) {
  EXPECT_TRUE(has_a_clean_edge(drawn(png_of(drawing(BarChart{.title = "Nothing"})), "bars_nothing")));
  auto chart = times();
  chart.series[0].values.pop_back();
  EXPECT_THROW(png_of(drawing(chart)), Error);
  chart = times();
  chart.series[0].values = {0, 0, 0, 0};
  chart.series[0].errors.clear();
  chart.series.resize(1);
  EXPECT_TRUE(has_a_clean_edge(drawn(png_of(drawing(chart)), "bars_zero")));
  chart.values.logarithmic = true;
  EXPECT_THROW(png_of(drawing(chart)), Error);
}

}  // namespace
}  // namespace nunchi::draw
