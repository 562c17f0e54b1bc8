#include "draw/color_map.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

namespace nunchi::draw {
namespace {

TEST(ColorMap, ViridisGrowsLighterEverywhere) {
  double last = -1;
  for (int i = 0; i <= 1000; ++i) {
    const double now = lightness(color_of(ColorMap::viridis, i / 1000.0));
    EXPECT_GT(now, last) << i;
    last = now;
  }
}

TEST(ColorMap, DivergingIsLightestInTheMiddleAndDarkensToBothSides) {
  double last = 101;
  for (int i = 0; i <= 500; ++i) {
    const double right = lightness(color_of(ColorMap::diverging, 0.5 + i / 1000.0));
    const double left = lightness(color_of(ColorMap::diverging, 0.5 - i / 1000.0));
    EXPECT_LT(right, last) << i;
    EXPECT_NEAR(left, right, 6) << i;  // neither side looks stronger than the other
    last = right;
  }
  EXPECT_GT(color_of(ColorMap::diverging, 0).blue, color_of(ColorMap::diverging, 0).red);
  EXPECT_GT(color_of(ColorMap::diverging, 1).red, color_of(ColorMap::diverging, 1).blue);
}

// Published colours that are not among those that were taken.
TEST(ColorMap, ViridisIsThePublishedOneInBetweenToo) {
  const auto expect_near = [](const Color& found, const Color& wanted) {
    EXPECT_NEAR(found.red, wanted.red, 6.0 / 255);
    EXPECT_NEAR(found.green, wanted.green, 6.0 / 255);
    EXPECT_NEAR(found.blue, wanted.blue, 6.0 / 255);
  };
  expect_near(color_of(ColorMap::viridis, 95 / 255.0), rgb(0x2c718e));
  expect_near(color_of(ColorMap::viridis, 227 / 255.0), rgb(0xb5de2b));
}

TEST(ColorMap, OutsideIsTheEndAndNoNumberIsGrey) {
  EXPECT_EQ(color_of(ColorMap::viridis, -3).green, color_of(ColorMap::viridis, 0).green);
  EXPECT_EQ(color_of(ColorMap::viridis, 3).green, color_of(ColorMap::viridis, 1).green);
  const Color grey = color_of(ColorMap::viridis, std::numeric_limits<double>::quiet_NaN());
  EXPECT_LT(std::abs(grey.red - grey.blue), 0.1);
}

TEST(ColorMap, LightnessIsThatOfCie1976) {
  EXPECT_NEAR(lightness(rgb(0xffffff)), 100, 1e-6);
  EXPECT_NEAR(lightness(rgb(0x000000)), 0, 1e-6);
  EXPECT_NEAR(lightness(rgb(0xff0000)), 53.24, 0.01);
  EXPECT_NEAR(lightness(rgb(0x777777)), 50.03, 0.02);
}

}  // namespace
}  // namespace nunchi::draw
