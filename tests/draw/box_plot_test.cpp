#include "draw/box_plot.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "draw/drawn.h"

namespace nunchi::draw {
namespace {

using testing::ElementsAre;

TEST(Box, HasTheQuartilesOfTukey) {
  const Box box = box_of("a", std::vector<double>{9, 1, 2, 3, 4, 5, 6, 7, 8, 30, std::nan("")});
  EXPECT_DOUBLE_EQ(box.median, 5.5);
  EXPECT_DOUBLE_EQ(box.lower, 3.25);
  EXPECT_DOUBLE_EQ(box.upper, 7.75);
  EXPECT_DOUBLE_EQ(box.least, 1);
  EXPECT_DOUBLE_EQ(box.greatest, 9);
  EXPECT_THAT(box.beyond, ElementsAre(30));
  const Box one = box_of("one", std::vector<double>{2});
  EXPECT_EQ(one.lower, 2);
  EXPECT_EQ(one.greatest, 2);
  EXPECT_TRUE(one.beyond.empty());
  EXPECT_THROW(box_of("none", std::vector<double>{std::nan("")}), Error);
}

TEST(BoxPlot, ShowsEveryBox) {
  BoxPlot plot{.title = "Latency", .subtitle = "200 calls of each", .values = {.title = "ms"}};
  for (int i = 0; i < 4; ++i) {
    std::vector<double> values;
    for (int call = 0; call < 200; ++call)
      values.push_back(20 + 7 * i + (3 + i) * std::tan(1.3 * std::sin(0.7 * call * call)));
    plot.boxes.push_back(box_of(i == 2 ? "비전 트랜스포머" : "model " + std::to_string(i), values));
  }
  const auto picture = drawn(png_of(drawing(plot)), "boxes");
  EXPECT_TRUE(has_a_clean_edge(picture));
  for (std::size_t i = 0; i < 4; ++i) EXPECT_GT(count_of(picture, series_color(i)), 300) << i;
  plot.boxes = {box_of("one", std::vector<double>{3})};
  plot.values.logarithmic = true;
  EXPECT_TRUE(has_a_clean_edge(drawn(png_of(drawing(plot)), "boxes_one")));
  plot.boxes.clear();
  EXPECT_TRUE(has_a_clean_edge(drawn(png_of(drawing(plot)), "boxes_none")));
}

}  // namespace
}  // namespace nunchi::draw
