#include "draw/histogram.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "core/error.h"
#include "draw/drawn.h"

namespace nunchi::draw {
namespace {

using testing::ElementsAre;

TEST(Histogram, CountsEveryValueOnce) {
  auto histogram = empty_histogram("h", 0, 1, 4);
  const std::vector<float> values = {
      0, 0.1f, 0.25f, 0.5f, 0.99f, 1, -0.1f, 1.1f, std::numeric_limits<float>::quiet_NaN()};
  count(histogram, values);
  EXPECT_THAT(histogram.counts, ElementsAre(2, 1, 1, 2));
  EXPECT_EQ(histogram.outside, 3);
  count(histogram, std::vector<float>{0.3f});
  EXPECT_EQ(histogram.counts[1], 2);
  EXPECT_THROW(empty_histogram("h", 1, 1, 4), Error);
  EXPECT_THROW(empty_histogram("h", 0, 1, 0), Error);
}

std::vector<float> normal(double mean, double deviation, std::size_t size) {
  std::mt19937 random(7);
  std::normal_distribution<float> draw(static_cast<float>(mean), static_cast<float>(deviation));
  std::vector<float> values(size);
  for (auto& value : values) value = draw(random);
  return values;
}

HistogramChart weights() {
  HistogramChart chart{
      .title = "First three layers", .subtitle = "weights", .x = {.title = "value"}, .y = {.title = "count"}};
  const std::array<double, 3> means = {-0.1, 0, 0.15};
  for (std::size_t i = 0; i < 3; ++i) {
    chart.series.push_back(empty_histogram("layer " + std::to_string(i), -0.6, 0.6, 30));
    count(chart.series.back(), normal(means[i], 0.08 + 0.04 * static_cast<double>(i), 10'000));
  }
  return chart;
}

TEST(Histogram, OfNormalValuesHasTheirMeanAndDeviation) {
  const auto histogram = weights().series[0];
  const double total = std::accumulate(histogram.counts.begin(), histogram.counts.end(), 0.0);
  EXPECT_EQ(total + histogram.outside, 10'000);
  double mean = 0, square = 0;
  for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
    const double middle = -0.6 + 0.04 * (static_cast<double>(i) + 0.5);
    mean += middle * histogram.counts[i] / total;
    square += middle * middle * histogram.counts[i] / total;
  }
  EXPECT_NEAR(mean, -0.1, 0.005);
  EXPECT_NEAR(std::sqrt(square - mean * mean), 0.08, 0.005);
}

TEST(HistogramChart, SeveralShineThroughEachOther) {
  const auto picture = drawn(png_of(drawing(weights())), "histogram");
  EXPECT_TRUE(has_a_clean_edge(picture));
  const auto over = [](const Color& color, const Color& ground) {
    return Color{std::lerp(ground.red, color.red, 0.7), std::lerp(ground.green, color.green, 0.7),
                 std::lerp(ground.blue, color.blue, 0.7)};
  };
  const Color first = over(series_color(0), paper), both = over(series_color(1), first);
  EXPECT_GT(count_of(picture, first), 3'000);
  EXPECT_GT(count_of(picture, both), 3'000);
}

TEST(HistogramChart, ASingleOneIsOpaqueAndMayBeLogarithmic) {
  auto chart = weights();
  chart.series.resize(1);
  EXPECT_GT(count_of(drawn(png_of(drawing(chart)), "histogram_one"), series_color(0)), 20'000);
  chart.y.logarithmic = true;
  EXPECT_TRUE(has_a_clean_edge(drawn(png_of(drawing(chart)), "histogram_logarithmic")));
  chart.series[0].counts.assign(30, 0);
  EXPECT_TRUE(has_a_clean_edge(drawn(png_of(drawing(chart)), "histogram_empty")));
}

}  // namespace
}  // namespace nunchi::draw
