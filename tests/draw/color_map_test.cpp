#include "draw/color_map.h"

#include <gmock/gmock.h>

#include <array>
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

// Three of Google's table that are not among those that were taken.
TEST(ColorMap, TurboIsThePublishedOneInBetweenToo) {
  const auto expect_near = [](const Color& found, const Color& wanted) {
    EXPECT_NEAR(found.red, wanted.red, 5.0 / 255);
    EXPECT_NEAR(found.green, wanted.green, 5.0 / 255);
    EXPECT_NEAR(found.blue, wanted.blue, 5.0 / 255);
  };
  expect_near(color_of(ColorMap::turbo, 47 / 255.0), {0.26252, 0.56967, 0.99773});
  expect_near(color_of(ColorMap::turbo, 127 / 255.0), {0.63323, 0.99195, 0.23937});
  expect_near(color_of(ColorMap::turbo, 232 / 255.0), {0.74617, 0.13098, 0.00851});
}

TEST(ColorMap, HotIsRedAndColdIsBlue) {
  for (const ColorMap map : {ColorMap::turbo, ColorMap::jet, ColorMap::diverging}) {
    for (const double hot : {0.9, 1.0}) {
      const Color color = color_of(map, hot);
      EXPECT_GT(color.red, 2 * color.blue) << hot;
      EXPECT_GT(color.red, 2 * color.green) << hot;
    }
    const Color cold = color_of(map, 0.1);
    EXPECT_GT(cold.blue, cold.red);
  }
}

TEST(ColorMap, JetHasItsCorners) {
  const Color middle = color_of(ColorMap::jet, 0.375), quarter = color_of(ColorMap::jet, 0.125);
  EXPECT_DOUBLE_EQ(middle.green, 1);
  EXPECT_DOUBLE_EQ(middle.red, 0);
  EXPECT_DOUBLE_EQ(quarter.blue, 1);
  EXPECT_NEAR(color_of(ColorMap::jet, 1).red, 0.5, 0.01);
}

TEST(ColorMap, HasANameAndBack) {
  EXPECT_EQ(color_map_names().size(), 4u);
  EXPECT_EQ(color_map_from_name("viridis"), ColorMap::viridis);
  EXPECT_EQ(color_map_from_name("diverging"), ColorMap::diverging);
  EXPECT_EQ(color_map_from_name("turbo"), ColorMap::turbo);
  EXPECT_EQ(color_map_from_name("jet"), ColorMap::jet);
  EXPECT_EQ(color_map_from_name("Turbo"), std::nullopt);
}

// The differences of Euclid in L*a*b* of CIE 1976.
double difference(const Color& a, const Color& b) {
  const auto lab = [](const Color& c) {
    const auto linear = [](double v) { return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4); };
    const auto bent = [](double t) { return t > 216.0 / 24389 ? std::cbrt(t) : (24389.0 / 27 * t + 16) / 116; };
    const double red = linear(c.red), green = linear(c.green), blue = linear(c.blue);
    const double x = bent((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047);
    const double y = bent(0.2126 * red + 0.7152 * green + 0.0722 * blue);
    const double z = bent((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883);
    return std::array{116 * y - 16, 500 * (x - y), 200 * (y - z)};
  };
  const auto first = lab(a), second = lab(b);
  return std::hypot(first[0] - second[0], first[1] - second[1], first[2] - second[2]);
}

TEST(ClassColor, DiffersVisiblyAndRepeats) {
  for (std::size_t i = 0; i < class_colors; ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_GT(difference(class_color(i), class_color(j)), 20) << i << " " << j;
    EXPECT_EQ(class_color(i).green, class_color(i + class_colors).green);
    EXPECT_LT(lightness(class_color(i)), 93) << i;  // shows on paper
  }
  EXPECT_GE(class_colors, 20u);
  EXPECT_EQ(class_color(0).blue, series_color(0).blue);
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
