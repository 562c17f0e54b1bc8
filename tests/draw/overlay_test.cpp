#include "draw/overlay.h"

#include <gmock/gmock.h>

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

}  // namespace
}  // namespace nunchi::draw
