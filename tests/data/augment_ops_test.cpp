#include "data/augment_ops.h"

#include <gmock/gmock.h>

#include <sstream>

#include "core/error.h"
#include "data/augment_call.h"
#include "image/golden.h"
#include "image/random.h"

namespace nunchi::data {
namespace {

using image::Picture;
using testing::Each;
using testing::ElementsAre;

// golden_picture() of tools/check_augment.py.
Picture golden_picture(std::uint64_t seed, int width, int height, int channels) {
  Picture picture = image::random_picture(seed, width, height, channels);
  const auto step = static_cast<std::size_t>(channels);
  for (std::size_t i = 0; i < picture.pixels.size(); ++i) {
    std::uint8_t& byte = picture.pixels[i];
    if (seed % 3 == 1) byte = static_cast<std::uint8_t>(60 + byte * 3 / 8);
    if (seed % 3 == 2 && i % step == 0) byte = static_cast<std::uint8_t>(seed);
  }
  return picture;
}

Picture gradient(int width, int height) {
  Picture picture = image::make_picture(width, height, 1);
  for (std::size_t i = 0; i < picture.pixels.size(); ++i) picture.pixels[i] = static_cast<std::uint8_t>(i + 1);
  return picture;
}

TEST(AugmentOps, EqualTorchvisionBitForBit) {
  const auto lines = image::golden_lines("augment.txt");
  ASSERT_GT(lines.size(), 700u);
  for (const auto& line : lines) {
    std::istringstream words(line);
    std::string hash, operation;
    std::uint64_t seed = 0;
    int width = 0, height = 0, channels = 0;
    words >> hash >> seed >> width >> height >> channels >> operation;
    Numbers numbers;
    for (double number = 0; words >> number;) numbers.push_back(number);
    const auto result = call_operation(operation, numbers, golden_picture(seed, width, height, channels));
    EXPECT_EQ(image::hash_text(result.pixels), hash) << line;
  }
}

TEST(AugmentOps, CropsReachOutOfThePictureInFourWays) {
  const Picture row = gradient(3, 1);
  const auto crop = [&](Padding mode) { return crop_padded(row, {-4, 0, 11, 1}, mode, {9, 9, 9}).pixels; };
  EXPECT_THAT(crop(Padding::constant), ElementsAre(9, 9, 9, 9, 1, 2, 3, 9, 9, 9, 9));
  EXPECT_THAT(crop(Padding::edge), ElementsAre(1, 1, 1, 1, 1, 2, 3, 3, 3, 3, 3));
  EXPECT_THAT(crop(Padding::reflect), ElementsAre(1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3));
  EXPECT_THAT(crop(Padding::symmetric), ElementsAre(3, 3, 2, 1, 1, 2, 3, 3, 2, 1, 1));
  EXPECT_THAT(crop_padded(row, {7, 5, 2, 2}, Padding::constant, {9, 9, 9}).pixels, ElementsAre(9, 9, 9, 9));
}

TEST(AugmentOps, TurnsAreLeftwardsAndFlipsAreTheirOwnInverse) {
  const Picture square = gradient(2, 2);
  EXPECT_THAT(rotate(square, 90).pixels, ElementsAre(2, 4, 1, 3));
  EXPECT_THAT(rotate(square, -90).pixels, ElementsAre(3, 1, 4, 2));
  EXPECT_THAT(rotate(square, 180).pixels, ElementsAre(4, 3, 2, 1));
  EXPECT_THAT(flip_left_right(square).pixels, ElementsAre(2, 1, 4, 3));
  EXPECT_THAT(flip_top_bottom(square).pixels, ElementsAre(3, 4, 1, 2));
  EXPECT_THAT(translate(square, 1, 0).pixels, ElementsAre(0, 1, 0, 3));
}

TEST(AugmentOps, AFactorOfOneIsThePicture) {
  const Picture picture = image::random_picture(5, 19, 13, 3);
  EXPECT_EQ(adjust_brightness(picture, 1).pixels, picture.pixels);
  EXPECT_EQ(adjust_contrast(picture, 1).pixels, picture.pixels);
  EXPECT_EQ(adjust_saturation(picture, 1).pixels, picture.pixels);
  EXPECT_EQ(adjust_sharpness(picture, 1).pixels, picture.pixels);
  EXPECT_THAT(adjust_brightness(picture, 0).pixels, Each(0));
}

TEST(AugmentOps, AnotherFilterThanTheThreeIsABug) {
  EXPECT_THROW(rotate(gradient(4, 4), 10, {.filter = image::Filter::lanczos}), Error);
  EXPECT_THROW(posterize(gradient(4, 4), 0), Error);
}

}  // namespace
}  // namespace nunchi::data
