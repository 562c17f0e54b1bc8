#include "draw/line_chart.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstdlib>
#include <limits>

#include "core/error.h"
#include "core/file.h"
#include "image/decode.h"

namespace nunchi::draw {
namespace {

// NUNCHI_DRAWN=FOLDER keeps the pictures, for looking at them.
image::Picture drawn(const LineChart& chart, const std::string& name) {
  const auto png = line_chart(chart);
  if (const char* folder = std::getenv("NUNCHI_DRAWN")) write_file(std::string(folder) + "/" + name + ".png", png);
  return image::decode(png, name);
}

std::int64_t count(const image::Picture& picture, const Color& color) {
  const auto is = [](std::uint8_t value, double part) { return std::abs(value - 255 * part) < 1.5; };
  std::int64_t found = 0;
  for (std::size_t i = 0; i < picture.pixels.size(); i += 3) {
    found += is(picture.pixels[i], color.red) && is(picture.pixels[i + 1], color.green) &&
             is(picture.pixels[i + 2], color.blue);
  }
  return found;
}

// Nothing but paper in the outermost points: whatever is drawn there was cut or is about to be.
testing::AssertionResult has_a_clean_edge(const image::Picture& picture) {
  constexpr int edge = 12;
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) {
      const bool inside = x >= edge && y >= edge && x < picture.width - edge && y < picture.height - edge;
      const std::uint8_t* pixel = picture.row(y) + 3 * x;
      if (!inside && (pixel[0] < 255 || pixel[1] < 255 || pixel[2] < 255))
        return testing::AssertionFailure() << "something is drawn at " << x << ", " << y;
    }
  }
  return testing::AssertionSuccess();
}

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
  const auto picture = drawn(training_run(100), "training");
  EXPECT_EQ(picture.width, 1520);
  EXPECT_EQ(picture.height, 880);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_GT(count(picture, series_color(i)), 500) << i;
  EXPECT_TRUE(has_a_clean_edge(picture));
}

TEST(LineChart, FewPointsAreDotsAndAGapStaysOne) {
  auto chart = training_run(9);
  chart.series.resize(1);
  const auto whole = count(drawn(chart, "few"), series_color(0));
  for (const std::size_t i : {3, 4, 5}) chart.series[0].y[i] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_LT(count(drawn(chart, "gap"), series_color(0)), 0.8 * static_cast<double>(whole));
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
  EXPECT_TRUE(has_a_clean_edge(drawn(chart, "crowded")));
}

TEST(LineChart, SmallNumbersAndManySteps) {
  LineChart chart{.title = "Learning rate", .x = {.title = "step"}, .width = 420, .height = 240};
  chart.series.push_back({.name = "rate"});
  for (int i = 0; i <= 39'000; i += 10) {
    chart.series[0].x.push_back(i);
    chart.series[0].y.push_back(i < 2000 ? 1e-3 * i / 2000 : 5e-4 * (1 + std::cos(3.14159 * (i - 2000) / 37'000)));
  }
  EXPECT_TRUE(has_a_clean_edge(drawn(chart, "steps")));
}

TEST(LineChart, OnePointOneSideOrNothing) {
  LineChart chart{.title = "One epoch", .x = {.title = "epoch", .whole_numbers = true}};
  chart.series = {{.name = "loss", .x = {1}, .y = {2.31}}};
  EXPECT_GT(count(drawn(chart, "one"), series_color(0)), 20);
  chart.series[0].on_second_y = true;
  EXPECT_GT(count(drawn(chart, "right"), series_color(0)), 20);
  chart.series[0].y[0] = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(has_a_clean_edge(drawn(chart, "nothing")));
  chart.series.clear();
  EXPECT_TRUE(has_a_clean_edge(drawn(chart, "no_series")));
  chart.series = {{.name = "loss", .x = {1, 2}, .y = {1}}};
  EXPECT_THROW(line_chart(chart), Error);
}

TEST(LineChart, IsAnSvgToo) {
  const auto svg = line_chart_svg(training_run(30));
  EXPECT_THAT(svg, testing::StartsWith("<?xml"));
  EXPECT_THAT(svg, testing::HasSubstr("</svg>"));
  EXPECT_THAT(svg, testing::Not(testing::HasSubstr("<text")));  // letters are outlines
}

}  // namespace
}  // namespace nunchi::draw
