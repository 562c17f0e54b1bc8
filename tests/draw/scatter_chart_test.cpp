#include "draw/scatter_chart.h"

#include <gmock/gmock.h>

#include <cmath>

#include "draw/color_map.h"
#include "draw/drawn.h"

namespace nunchi::draw {
namespace {

ScatterChart clusters(int of_each) {
  ScatterChart chart{.title = "Pictures in the plane of two components",
                     .subtitle = "DINO, class token",
                     .x = {.title = "component 1 (31 %)"},
                     .y = {.title = "component 2 (12 %)"},
                     .groups = {"cat", "dog", "새", "car"}};
  for (int i = 0; i < 4 * of_each; ++i) {
    const double angle = 2.4 * i, distance = 0.9 * std::sqrt(std::fmod(0.618 * i, 1.0));
    const int group = i % 4;
    chart.points.push_back({.x = 2 * std::cos(1.57 * group) + distance * std::cos(angle),
                            .y = 2 * std::sin(1.57 * group) + distance * std::sin(angle),
                            .group = static_cast<std::size_t>(group),
                            .label = i < 12 ? "photo_" + std::to_string(i) + ".jpg" : ""});
  }
  return chart;
}

TEST(ScatterChart, ColoursPointsByTheirGroup) {
  auto chart = clusters(60);
  chart.opacity = 1;
  const auto picture = drawn(png_of(drawing(chart)), "scatter");
  EXPECT_TRUE(has_a_clean_edge(picture));
  for (std::size_t group = 0; group < 4; ++group) EXPECT_GT(count_of(picture, class_color(group)), 5'000) << group;
  EXPECT_EQ(count_of(picture, class_color(4)), 0);
}

TEST(ScatterChart, AGroupKeepsItsColourWhereOthersAreMissing) {
  auto chart = clusters(20);
  chart.opacity = 1;
  std::erase_if(chart.points, [](const ScatterPoint& point) { return point.group != 3; });
  const auto picture = drawn(png_of(drawing(chart)), "scatter_one");
  EXPECT_GT(count_of(picture, class_color(3)), 1'000);
  EXPECT_EQ(count_of(picture, class_color(0)), 0);
}

TEST(ScatterChart, ManyPointsAndNone) {
  auto chart = clusters(3'000);
  chart.dot_size = 2;
  chart.opacity = 0.5;
  EXPECT_TRUE(has_a_clean_edge(drawn(png_of(drawing(chart)), "scatter_many")));
  chart.points.clear();
  EXPECT_TRUE(has_a_clean_edge(drawn(png_of(drawing(chart)), "scatter_none")));
}

}  // namespace
}  // namespace nunchi::draw
