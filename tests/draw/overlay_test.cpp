#include "draw/overlay.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"

namespace nunchi::draw {
namespace {

image::Picture grey(int width, int height, int channels, std::uint8_t value) {
  auto picture = image::make_picture(width, height, channels);
  std::fill(picture.pixels.begin(), picture.pixels.end(), value);
  return picture;
}

TEST(HeatMap, IsLinearBetweenTheMiddlesOfItsPatches) {
  const HeatMap map = {.rows = 2, .columns = 2, .values = {0, 1, 2, 3}};
  EXPECT_FLOAT_EQ(value_at(map, 0.25, 0.25), 0);
  EXPECT_FLOAT_EQ(value_at(map, 0.75, 0.25), 1);
  EXPECT_FLOAT_EQ(value_at(map, 0.5, 0.5), 1.5);
  EXPECT_FLOAT_EQ(value_at(map, 0.5, 0.25), 0.5);
  EXPECT_FLOAT_EQ(value_at(map, 0, 0), 0);
  EXPECT_FLOAT_EQ(value_at(map, 1, 1), 3);
}

TEST(Overlay, MixesTheColoursOfThePatches) {
  const HeatMap map = {.rows = 1, .columns = 2, .values = {0, 5}};
  const auto picture = overlay(grey(8, 4, 3, 100), map, {.opacity = 1, .patches = true});
  ASSERT_EQ(picture.width, 8);
  ASSERT_EQ(picture.channels, 3);
  const auto expect = [&](int x, const Color& color) {
    EXPECT_NEAR(picture.row(2)[3 * x], 255 * color.red, 0.51) << x;
    EXPECT_NEAR(picture.row(2)[3 * x + 1], 255 * color.green, 0.51) << x;
    EXPECT_NEAR(picture.row(2)[3 * x + 2], 255 * color.blue, 0.51) << x;
  };
  for (int x = 0; x < 8; ++x) expect(x, color_of(ColorMap::viridis, x < 4 ? 0 : 1));
  const auto untouched = overlay(grey(8, 4, 1, 100), map, {.opacity = 0});
  EXPECT_EQ(untouched.row(1)[5], 100);
}

TEST(Overlay, AFlatMapAndOneWithoutNumbersStillDraw) {
  const auto flat = overlay(grey(3, 3, 3, 10), {.rows = 1, .columns = 1, .values = {7}}, {.opacity = 1});
  EXPECT_NEAR(flat.pixels[0], 255 * color_of(ColorMap::viridis, 0).red, 1);
  const float nothing = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(overlay(grey(3, 3, 3, 10), {.rows = 1, .columns = 1, .values = {nothing}}, {.opacity = 1}).pixels[0], 0x9a);
  EXPECT_THROW(overlay(grey(3, 3, 3, 10), {.rows = 2, .columns = 2, .values = {1}}), Error);
}

// The seed's own figure for the overlay of a class activation map: 0.4 heat + 0.6 picture, hot in red.
TEST(Overlay, TheHottestPlaceIsRedInRgb) {
  const HeatMap map = {.rows = 1, .columns = 3, .values = {0, 1, 0}};
  const auto picture = overlay(grey(3, 1, 3, 100), map, {.colors = ColorMap::jet, .opacity = 0.4, .patches = true});
  EXPECT_EQ(picture.pixels[3], std::lround(0.6 * 100 + 0.4 * 128));
  EXPECT_EQ(picture.pixels[4], 60);
  EXPECT_EQ(picture.pixels[5], 60);
}

TEST(Overlay, ColdPlacesKeepThePhotoWhereOpacityFollowsTheValue) {
  const HeatMap map = {.rows = 1, .columns = 3, .values = {0, 0.5, 1}};
  const auto picture = overlay(grey(3, 1, 3, 100), map, {.opacity = 0.8, .patches = true, .opacity_by_value = true});
  EXPECT_EQ(picture.pixels[0], 100);
  EXPECT_EQ(picture.pixels[1], 100);
  EXPECT_NEAR(picture.pixels[3], 0.6 * 100 + 0.4 * 255 * color_of(ColorMap::viridis, 0.5).red, 0.51);
  EXPECT_NEAR(picture.pixels[6], 0.2 * 100 + 0.8 * 255 * color_of(ColorMap::viridis, 1).red, 0.51);
}

TEST(Overlay, AHeatPictureHasTheColoursAlone) {
  const HeatMap map = {.rows = 1, .columns = 2, .values = {0, 1}};
  const auto picture = heat_picture(map, 4, 1, {.colors = ColorMap::turbo, .patches = true});
  EXPECT_EQ(picture.pixels[0], 0x30);
  EXPECT_EQ(picture.pixels[11], 0x03);
}

HeatMap cone(int side) {  // 1 in the middle, falling by 2 for each width of the picture
  HeatMap map{.rows = side, .columns = side, .values = {}};
  for (int row = 0; row < side; ++row) {
    for (int column = 0; column < side; ++column) {
      map.values.push_back(
          static_cast<float>(1 - 2 * std::hypot((row + 0.5) / side - 0.5, (column + 0.5) / side - 0.5)));
    }
  }
  return map;
}

TEST(Contour, OfAConeIsACircle) {
  const auto lines = contour_lines(cone(28), 0.4f);
  ASSERT_GT(lines.size(), 40u);
  double length = 0;
  for (const auto& [from, to] : lines) {
    EXPECT_NEAR(std::hypot(from.x - 0.5, from.y - 0.5), 0.3, 0.003);
    length += std::hypot(to.x - from.x, to.y - from.y);
  }
  EXPECT_NEAR(length, 2 * 3.14159265 * 0.3, 0.02);  // it is closed
}

TEST(Contour, TwoHillsAreApartOrOneAsTheMiddleSays) {
  const HeatMap saddle = {.rows = 2, .columns = 2, .values = {1, 0, 0, 1}};
  const auto crosses_middle = [&](float level) {  // near the middle of the picture
    return std::ranges::any_of(contour_lines(saddle, level), [](const auto& line) {
      return std::abs(line[0].x - line[0].y) < 0.1 && std::abs(line[0].x - 0.5) < 0.15;
    });
  };
  EXPECT_TRUE(crosses_middle(0.6f));   // each of the two hills has its line between them
  EXPECT_FALSE(crosses_middle(0.3f));  // the hills are one
  EXPECT_TRUE(contour_lines(saddle, 2).empty());
  EXPECT_TRUE(contour_lines({.rows = 1, .columns = 1, .values = {std::numeric_limits<float>::quiet_NaN()}}, 0).empty());
}

TEST(Contour, ChangesOnlyThePixelsOfItsLine) {
  const auto picture = contour(grey(100, 100, 3, 90), cone(28), {.level = 0.4f, .width = 2});
  for (int y = 0; y < 100; ++y) {
    for (int x = 0; x < 100; ++x) {
      const double away = std::abs(std::hypot(x + 0.5 - 50, y + 0.5 - 50) - 30);
      const int value = picture.row(y)[3 * x];
      if (away > 1.8) {
        EXPECT_EQ(value, 90) << x << ", " << y;
      }
      if (away < 0.3) {
        EXPECT_GT(value, 240) << x << ", " << y;
      }
    }
  }
}

TEST(LabelOverlay, LeavesEverythingOutsideBitForBit) {
  auto photo = image::make_picture(40, 20);
  for (std::size_t i = 0; i < photo.pixels.size(); ++i) photo.pixels[i] = static_cast<std::uint8_t>(37 * i);
  const LabelMap map = {.rows = 1, .columns = 4, .labels = {-1, 3, 255, 7}};
  for (const bool smooth : {false, true}) {
    const LabelOptions options = {.opacity = 0.4, .ignored = 255, .smooth = smooth, .outline = 2};
    const auto result = overlay(photo, map, options);
    const auto pixels = labels_of_pixels(map, 40, 20, options);
    for (int y = 0; y < 20; ++y) {
      for (int x = 0; x < 40; ++x) {
        const bool labelled = pixels.labels[static_cast<std::size_t>(40 * y + x)] >= 0;
        EXPECT_EQ(labelled, (x >= 10 && x < 20) || x >= 30) << x;
        const std::size_t at = static_cast<std::size_t>(3 * (40 * y + x));
        if (!labelled) {
          EXPECT_EQ(result.pixels[at + 1], photo.pixels[at + 1]) << x << ", " << y;
        }
      }
    }
    EXPECT_NEAR(result.row(10)[3 * 15], 0.6 * photo.row(10)[3 * 15] + 0.4 * 255 * class_color(3).red, 0.51);
    EXPECT_NEAR(result.row(10)[3 * 11 + 2], 255 * class_color(3).blue, 0.51);  // its outline
    EXPECT_NEAR(result.row(10)[3 * 39], 0.6 * photo.row(10)[3 * 39] + 0.4 * 255 * class_color(7).red, 0.51);
  }
}

// Ten masks one after the other leave the background as bright as it was: each is blended in its own place only.
TEST(LabelOverlay, ManyMasksDoNotDarkenTheRest) {
  auto picture = grey(20, 20, 1, 200);
  for (int mask = 0; mask < 10; ++mask) {
    LabelMap map{.rows = 20, .columns = 20, .labels = std::vector<int>(400, -1)};
    map.labels[static_cast<std::size_t>(21 * mask)] = mask;
    picture = overlay(picture, map, {.opacity = 0.4});
  }
  EXPECT_EQ(picture.row(19)[0], 200);
  EXPECT_NEAR(picture.row(4)[12], 0.6 * 200 + 0.4 * 255 * class_color(4).red, 0.51);
}

TEST(LabelOverlay, EqualClassesHaveEqualColoursInEveryPicture) {
  const auto first = overlay(grey(2, 1, 3, 10), LabelMap{1, 2, {5, 9}}, {.opacity = 1});
  const auto second = overlay(grey(3, 1, 3, 240), LabelMap{1, 3, {9, 5, 5}}, {.opacity = 1});
  for (std::size_t part = 0; part < 3; ++part) {
    EXPECT_EQ(first.pixels[part], second.pixels[3 + part]);
    EXPECT_EQ(first.pixels[3 + part], second.pixels[part]);
  }
  const auto own = overlay(grey(1, 1, 3, 0), LabelMap{1, 1, {0}}, {.opacity = 1, .colors = {rgb(0x123456)}});
  EXPECT_EQ(own.pixels[1], 0x34);
  EXPECT_THROW(overlay(grey(1, 1, 3, 0), LabelMap{2, 1, {0}}), Error);
}

// Between two patches the border is in the middle either way; around a single one the corners become round.
TEST(LabelOverlay, SmoothLabelsHaveRoundCorners) {
  LabelMap map{.rows = 3, .columns = 3, .labels = std::vector<int>(9, 0)};
  map.labels[4] = 1;
  const auto square = labels_of_pixels(map, 90, 90), smooth = labels_of_pixels(map, 90, 90, {.smooth = true});
  EXPECT_EQ(std::ranges::count(square.labels, 1), 900);
  EXPECT_LT(std::ranges::count(smooth.labels, 1), 880);
  EXPECT_GT(std::ranges::count(smooth.labels, 1), 450);
  EXPECT_EQ(smooth.labels[90 * 31 + 31], 0);
  EXPECT_EQ(smooth.labels[90 * 45 + 45], 1);
}

// R060: ten overlays with black outside their masks would leave 0.6^10 of the picture.
TEST(MaskOverlay, PixelsOutsideAllMasksAreUnchanged) {
  const auto picture = grey(8, 8, 3, 200);
  std::vector<Mask> masks(12, {.rows = 2, .columns = 2, .inside = {false, true, false, false}});
  const auto overlaid = overlay(picture, masks);
  for (int y = 0; y < 8; ++y)
    for (int x = 0; x < 8; ++x) EXPECT_EQ(overlaid.row(y)[3 * x] == 200, !(y < 4 && x >= 4)) << y << " " << x;
  EXPECT_EQ(overlay(picture, std::span<const Mask>()).pixels.size(), picture.pixels.size());
  EXPECT_THROW(overlay(picture, std::vector<Mask>{{.rows = 3, .columns = 2, .inside = {true}}}), Error);
}

TEST(MaskOverlay, TheLargestAreDrawnFirst) {
  const Mask small{.rows = 1, .columns = 4, .inside = {true, false, false, false}};
  const Mask large{.rows = 1, .columns = 2, .inside = {true, true}},
      half{.rows = 1, .columns = 2, .inside = {true, false}};
  const std::vector<Mask> masks = {small, large, half};
  EXPECT_THAT(largest_masks(masks, 10), testing::ElementsAre(1, 2, 0));
  EXPECT_THAT(largest_masks(masks, 2), testing::ElementsAre(1, 2));
  const auto overlaid = overlay(grey(4, 1, 3, 100), masks, {.opacity = 1});
  const auto red = [](std::size_t id) { return static_cast<int>(std::lround(255 * class_color(id).red)); };
  EXPECT_EQ(overlaid.pixels[0], red(0)) << "the small one on top";
  EXPECT_EQ(overlaid.pixels[3], red(2));
  EXPECT_EQ(overlaid.pixels[9], red(1));
  const auto two = overlay(grey(4, 1, 3, 100), masks, {.most = 2, .opacity = 1});
  EXPECT_EQ(two.pixels[0], red(2)) << "the smallest is left out";
}

}  // namespace
}  // namespace nunchi::draw
