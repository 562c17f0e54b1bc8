#include "data/augment.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "data/augment_ops.h"
#include "image/random.h"

namespace nunchi::data {
namespace {

using image::Picture;
using testing::HasSubstr;
using testing::ThrowsMessage;

std::vector<float> apply(const AugmentOptions& options, const Picture& picture, std::uint64_t sample = 0) {
  const Augmentation augmentation(options);
  std::vector<float> out(static_cast<std::size_t>(options.channels * options.size[0] * options.size[1]));
  Random random(1, 0, sample);
  augmentation.apply(picture, random, out);
  return out;
}

AugmentOptions everything() {
  return {.size = {24, 20},
          .random_resized_crop = RandomResizedCrop{},
          .flip = 0.5,
          .vertical_flip = 0.2,
          .rotation = 10,
          .color_jitter = ColorJitter{.brightness = 0.4, .contrast = 0.4, .saturation = 0.4, .hue = 0.1},
          .grayscale = 0.2,
          .rand_augment = RandAugment{},
          .random_erasing = RandomErasing{.probability = 0.5, .noise = true},
          .mean = {0.49, 0.48, 0.45},
          .std = {0.25, 0.24, 0.26}};
}

TEST(Augmentation, WithoutChanceIsThePictureNormalised) {
  const Picture picture = image::random_picture(1, 6, 5, 3);
  const auto out = apply({.size = {5, 6}, .mean = {0.5, 0.4, 0.3}, .std = {0.5, 0.25, 0.2}}, picture);
  for (std::size_t i = 0; i < 30; ++i) {
    const auto scaled = [&](std::size_t c) { return picture.pixels[3 * i + c] * static_cast<float>(1.0 / 255); };
    EXPECT_EQ(out[i], (scaled(0) - 0.5f) / 0.5f);
    EXPECT_EQ(out[60 + i], (scaled(2) - 0.3f) / 0.2f);
  }
}

TEST(Augmentation, DependsOnItsChanceAlone) {
  const Picture picture = image::random_picture(2, 50, 40, 3);
  const auto first = apply(everything(), picture, 7);
  EXPECT_EQ(apply(everything(), picture, 7), first);
  EXPECT_NE(apply(everything(), picture, 8), first);
}

TEST(Augmentation, FitsAnySizeOfPictureToItsOwn) {
  for (const auto& [width, height] : std::vector<std::pair<int, int>>{{1, 1}, {3, 200}, {20, 24}, {100, 7}}) {
    const Picture picture = image::random_picture(3, width, height, 3);
    for (std::uint64_t sample = 0; sample < 20; ++sample) apply(everything(), picture, sample);
    apply({.size = {9, 8}, .shortest_edge = 12}, picture);
    apply({.size = {9, 8}, .shortest_edge = 5, .random_crop = RandomCrop{.padding = 2}}, picture);
    apply({.size = {9, 8}, .random_crop = RandomCrop{.padding = 3, .mode = Padding::reflect}}, picture);
  }
}

TEST(Augmentation, GrayPicturesBecomeThreeChannelsAndBack) {
  const Picture gray = image::random_picture(4, 5, 5, 1), colored = image::random_picture(4, 5, 5, 3);
  const auto three = apply({.size = {5, 5}}, gray);
  EXPECT_EQ(std::vector(three.begin(), three.begin() + 25), std::vector(three.begin() + 50, three.end()));
  const auto one = apply({.size = {5, 5}, .channels = 1}, colored);
  EXPECT_FLOAT_EQ(one[7], to_gray(colored, 1).pixels[7] / 255.0f);
}

TEST(Augmentation, CentralPartsAreInTheMiddle) {
  const Picture picture = image::random_picture(5, 9, 6, 3);
  const auto out = apply({.size = {2, 3}, .shortest_edge = 6}, picture);
  EXPECT_FLOAT_EQ(out[0], picture.row(2)[3 * 3] / 255.0f);
}

TEST(Augmentation, FlipsAsOftenAsAsked) {
  Picture picture = image::make_picture(2, 1, 1);
  picture.pixels = {0, 255};
  int flipped = 0;
  for (std::uint64_t sample = 0; sample < 10'000; ++sample)
    flipped += apply({.size = {1, 2}, .channels = 1, .flip = 0.5}, picture, sample)[0] == 1.0f;
  EXPECT_NEAR(flipped, 5000, 250);
}

TEST(Augmentation, ErasesWithTheMeanOrWithNoise) {
  Picture picture = image::make_picture(32, 32, 3);
  std::ranges::fill(picture.pixels, std::uint8_t{255});
  AugmentOptions options{.size = {32, 32}, .random_erasing = RandomErasing{.probability = 1}};
  const auto erased = apply(options, picture);
  const auto zeros = std::ranges::count(erased, 0.0f);
  EXPECT_GT(zeros, 3 * 10);
  EXPECT_EQ(zeros + std::ranges::count(erased, 1.0f), 3 * 32 * 32);
  options.random_erasing->noise = true;
  EXPECT_EQ(std::ranges::count(apply(options, picture), 1.0f), 3 * 32 * 32 - zeros);
}

TEST(Augmentation, RefusesWhatMakesNoSense) {
  const auto refused = [](const AugmentOptions& options, const char* option) {
    EXPECT_THAT([&] { Augmentation augmentation(options); }, ThrowsMessage<Error>(HasSubstr(option))) << option;
  };
  refused({.size = {0, 32}}, "size");
  refused({.channels = 4}, "channels");
  refused({.random_resized_crop = RandomResizedCrop{}, .random_crop = RandomCrop{}}, "random_crop");
  refused({.random_resized_crop = RandomResizedCrop{.scale = {0.5, 0.2}}}, "scale");
  refused({.random_crop = RandomCrop{.padding = -1}}, "padding");
  refused({.flip = 1.5}, "flips");
  refused({.color_jitter = ColorJitter{.hue = 0.6}}, "hue");
  refused({.rand_augment = RandAugment{.magnitude = 31}}, "magnitude");
  refused({.rand_augment = RandAugment{.filter = image::Filter::lanczos}}, "interpolation");
  refused({.random_erasing = RandomErasing{.ratio = {0, 1}}}, "ratio");
  refused({.std = {1, 0, 1}}, "std");
}

}  // namespace
}  // namespace nunchi::data
