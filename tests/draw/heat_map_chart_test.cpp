#include "draw/heat_map_chart.h"

#include <gmock/gmock.h>

#include <cmath>

#include "core/error.h"
#include "draw/drawn.h"

namespace nunchi::draw {
namespace {

HeatMapChart confusion(std::size_t count) {
  HeatMapChart chart{.title = "Confusion",
                     .subtitle = "10,000 pictures",
                     .rows_title = "is",
                     .columns_title = "was taken for",
                     .color_bar_title = "pictures",
                     .decimals = 0};
  for (std::size_t i = 0; i < count; ++i) {
    chart.rows.push_back(i % 3 == 0 ? "고양이 " + std::to_string(i) : "class " + std::to_string(i));
    for (std::size_t j = 0; j < count; ++j) {
      const double away = std::abs(static_cast<double>(i) - static_cast<double>(j));
      chart.values.push_back(std::round(900 * std::exp(-1.5 * away)));
    }
  }
  chart.columns = chart.rows;
  return chart;
}

TEST(HeatMapChart, FitsWithFewAndWithManyCells) {
  for (const std::size_t count : {1, 3, 10, 40, 100, 300}) {
    const auto picture = drawn(png_of(drawing(confusion(count))), "table_" + std::to_string(count));
    EXPECT_TRUE(has_a_clean_edge(picture)) << count;
    EXPECT_GT(count_of(picture, color_of(ColorMap::viridis, count == 1 ? 0 : 1)), 50) << count;
  }
}

TEST(HeatMapChart, LowAndWideAndHighAndNarrow) {
  HeatMapChart chart{.title = "Mean distance of each head", .rows = {"block 1"}, .colors = ColorMap::turbo};
  for (int i = 0; i < 60; ++i) {
    chart.columns.push_back("head " + std::to_string(i));
    chart.values.push_back(i);
  }
  EXPECT_TRUE(has_a_clean_edge(drawn(png_of(drawing(chart)), "table_wide")));
  std::swap(chart.rows, chart.columns);
  EXPECT_TRUE(has_a_clean_edge(drawn(png_of(drawing(chart)), "table_high")));
  for (auto& name : chart.rows) name = std::string(120, 'n');
  chart.columns = {std::string(120, 'c')};
  EXPECT_TRUE(has_a_clean_edge(drawn(png_of(drawing(chart)), "table_names")));
}

// In a place of its own the cells become as low as they must.
TEST(HeatMapChart, StaysInItsPlace) {
  for (const std::size_t count : {4, 30}) {
    Canvas canvas(400, 300);
    draw_heat_map_chart(canvas, confusion(count), {18, 18, 364, 264});
    EXPECT_TRUE(has_a_clean_edge(drawn(canvas.png(), "table_in_place_" + std::to_string(count)))) << count;
  }
}

TEST(HeatMapChart, ColoursAreThoseOfTheValues) {
  HeatMapChart chart{.rows = {"a"}, .columns = {"x", "y", "z"}, .values = {-1, 0, std::nan("")}, .figures = false};
  chart.colors = ColorMap::diverging;
  chart.least = -2;
  chart.greatest = 2;
  const auto picture = drawn(png_of(drawing(chart)), "table_colors");
  for (const Color& color : {color_of(ColorMap::diverging, 0.25), color_of(ColorMap::diverging, 0.5), rgb(0x9aa0a6)})
    EXPECT_GT(count_of(picture, color), 20'000);
  chart.values.pop_back();
  EXPECT_THROW(drawing(chart), Error);
}

}  // namespace
}  // namespace nunchi::draw
