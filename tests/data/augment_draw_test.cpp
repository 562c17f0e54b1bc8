#include "data/augment_draw.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "image/random.h"

namespace nunchi::data {
namespace {

using image::Window;

constexpr PictureSize wide{48, 30};  // so wide that tries of RandomResizedCrop fail
constexpr int draws = 40'000;

struct Expected {
  double mean, deviation;
  std::array<double, 5> quantiles;  // at 10, 25, 50, 75 and 90 %
};

// Against torchvision's own draws (tools/check_augment.py --statistics). A quantile of whole numbers may fall one
// beside.
void expect_distribution(std::vector<double> values, const Expected& expected, const char* name) {
  const auto count = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (const double value : values) sum += value, squares += value * value;
  const double mean = sum / count, deviation = std::sqrt(squares / count - mean * mean);
  EXPECT_NEAR(mean, expected.mean, 5 * expected.deviation / std::sqrt(count)) << name;
  EXPECT_NEAR(deviation, expected.deviation, 0.02 * expected.deviation) << name;
  std::ranges::sort(values);
  const std::array<double, 5> places = {0.1, 0.25, 0.5, 0.75, 0.9};
  for (std::size_t i = 0; i < places.size(); ++i)
    EXPECT_NEAR(values[static_cast<std::size_t>(places[i] * count)], expected.quantiles[i], 1) << name << places[i];
}

template <class Value>
std::vector<double> values_of(const std::vector<Window>& windows, Value value) {
  std::vector<double> values;
  for (const Window& window : windows) values.push_back(window.*value);
  return values;
}

TEST(AugmentDraw, ResizedCropsAreDistributedAsTorchvisions) {
  std::vector<Window> windows;
  int central = 0;
  for (std::uint64_t sample = 0; sample < draws; ++sample) {
    Random random(1, 0, sample);
    windows.push_back(draw_resized_crop({.scale = {0.3, 1}}, wide, random));
    const Window& window = windows.back();
    ASSERT_TRUE(window.left >= 0 && window.top >= 0 && window.left + window.width <= 48 &&
                window.top + window.height <= 30);
    central += window.width == 40 && window.height == 30 && window.left == 4;
  }
  expect_distribution(values_of(windows, &Window::width), {27.3379, 4.8699, {21, 23, 27, 31, 34}}, "width");
  expect_distribution(values_of(windows, &Window::height), {25.7649, 3.0315, {21, 23, 26, 28, 30}}, "height");
  expect_distribution(values_of(windows, &Window::left), {10.3410, 6.8554, {2, 5, 10, 15, 20}}, "left");
  expect_distribution(values_of(windows, &Window::top), {2.1215, 2.2969, {0, 0, 1, 3, 6}}, "top");
  EXPECT_NEAR(central / static_cast<double>(draws), 0.00113, 0.0008);
}

TEST(AugmentDraw, ResizedCropsFallBackToTheCentre) {
  Random random(1, 0, 0);
  const auto crop = [&](PictureSize size) { return draw_resized_crop({.scale = {1, 1}}, size, random); };
  const Window flat = crop({400, 30}), tall = crop({30, 401});
  EXPECT_EQ(std::tuple(flat.left, flat.top, flat.width, flat.height), std::tuple(180, 0, 40, 30));
  EXPECT_EQ(std::tuple(tall.left, tall.top, tall.width, tall.height), std::tuple(0, 180, 30, 40));
}

TEST(AugmentDraw, ErasedPartsAreDistributedAsTorchvisions) {
  std::vector<Window> windows;
  for (std::uint64_t sample = 0; sample < draws; ++sample) {
    Random random(2, 0, sample);
    if (const auto window = draw_erasing({.probability = 1}, wide, random)) windows.push_back(*window);
  }
  EXPECT_NEAR(static_cast<double>(windows.size()), draws, 2);
  expect_distribution(values_of(windows, &Window::width), {16.5076, 7.6410, {7, 10, 15, 21, 28}}, "width");
  expect_distribution(values_of(windows, &Window::height), {14.9924, 6.2095, {7, 10, 14, 19, 24}}, "height");
  expect_distribution(values_of(windows, &Window::left), {15.7437, 10.3762, {2, 7, 15, 23, 31}}, "left");
  expect_distribution(values_of(windows, &Window::top), {7.4978, 5.8398, {1, 3, 6, 12, 16}}, "top");
}

TEST(AugmentDraw, ErasesAsOftenAsAsked) {
  int erased = 0;
  for (std::uint64_t sample = 0; sample < 10'000; ++sample) {
    Random random(3, 0, sample);
    erased += draw_erasing({.probability = 0.25}, wide, random).has_value();
  }
  EXPECT_NEAR(erased, 2500, 5 * std::sqrt(10'000 * 0.25 * 0.75));
}

TEST(AugmentDraw, PaddedCropsAreUniformOverAllPositions) {
  std::map<std::pair<int, int>, int> counts;
  for (std::uint64_t sample = 0; sample < 81'000; ++sample) {
    Random random(4, 0, sample);
    const Window window = draw_crop({.padding = 4}, {32, 32}, {32, 32}, random);
    ++counts[{window.left, window.top}];
  }
  EXPECT_EQ(counts.size(), 81u);
  for (const auto& [position, count] : counts) {
    EXPECT_NEAR(count, 1000, 5 * std::sqrt(1000));
    EXPECT_TRUE(std::abs(position.first) <= 4 && std::abs(position.second) <= 4);
  }
}

// As pad_if_needed: the lacking pixels are added on both sides.
TEST(AugmentDraw, SmallPicturesArePaddedMore) {
  std::set<int> lefts;
  for (std::uint64_t sample = 0; sample < 200; ++sample) {
    Random random(5, 0, sample);
    lefts.insert(draw_crop({.padding = 1}, {5, 40}, {10, 10}, random).left);
  }
  EXPECT_EQ(lefts, (std::set<int>{-4, -3, -2, -1}));  // 5 + 2 + 3 + 3 pixels for 10
}

// Brightness after the others gives another picture than before them: all 24 orders come, all equally often.
TEST(AugmentDraw, JitterShufflesItsOrder) {
  const auto picture = image::random_picture(3, 12, 12, 3);
  const ColorJitter options{.brightness = 0.9, .contrast = 0.9};
  int brightness_first = 0;
  constexpr int pictures = 2000;
  for (std::uint64_t sample = 0; sample < pictures; ++sample) {
    Random random(6, 0, sample), again(6, 0, sample);
    const auto jittered = jitter_color(picture, options, random);
    again.chance(1);
    std::array<int, 4> order = {0, 1, 2, 3};
    again.shuffle(order);
    const double brightness = again.uniform(0.1, 1.9), contrast = again.uniform(0.1, 1.9);
    const bool first = std::ranges::find(order, 0) < std::ranges::find(order, 1);
    const auto expected = first ? adjust_contrast(adjust_brightness(picture, brightness), contrast)
                                : adjust_brightness(adjust_contrast(picture, contrast), brightness);
    ASSERT_EQ(jittered.pixels, expected.pixels);
    brightness_first += first;
  }
  EXPECT_NEAR(brightness_first, pictures / 2.0, 5 * std::sqrt(pictures / 4.0));
}

TEST(AugmentDraw, JitterStaysInItsRange) {
  image::Picture white = image::make_picture(1, 1, 1);
  int darkest = 255, brightest = 0;
  for (std::uint64_t sample = 0; sample < 2000; ++sample) {
    white.pixels[0] = 100;
    Random random(7, 0, sample);
    const int level = jitter_color(white, {.brightness = 0.2}, random).pixels[0];
    darkest = std::min(darkest, level);
    brightest = std::max(brightest, level);
  }
  EXPECT_EQ(darkest, 80);
  EXPECT_EQ(brightest, 119);
}

TEST(AugmentDraw, RandAugmentDrawsEachOfItsOperationsWithEitherSign) {
  std::map<RandAugmentKind, std::array<int, 2>> signs;
  for (std::uint64_t sample = 0; sample < 28'000; ++sample) {
    Random random(8, 0, sample);
    const auto step = draw_rand_augment({}, {32, 32}, random);
    ++signs[step.kind][step.magnitude < 0];
  }
  EXPECT_EQ(signs.size(), static_cast<std::size_t>(rand_augment_kinds));
  for (const auto& [kind, counts] : signs) {
    EXPECT_NEAR(counts[0] + counts[1], 2000, 5 * std::sqrt(2000));
    const bool has_sign = kind >= RandAugmentKind::shear_x && kind <= RandAugmentKind::sharpness;
    EXPECT_NEAR(counts[1], has_sign ? 1000 : 0, has_sign ? 5 * std::sqrt(500) : 0);
  }
}

TEST(AugmentDraw, RandAugmentsMagnitudesAreTorchvisions) {
  const auto magnitude = [](RandAugmentKind kind, int number) {
    return rand_augment_magnitude(kind, {.magnitude = number}, {64, 32});
  };
  EXPECT_FLOAT_EQ(magnitude(RandAugmentKind::shear_x, 9), 0.09f);
  EXPECT_FLOAT_EQ(magnitude(RandAugmentKind::translate_x, 30), 64 * 150.0f / 331);
  EXPECT_FLOAT_EQ(magnitude(RandAugmentKind::translate_y, 15), 16 * 150.0f / 331);
  EXPECT_FLOAT_EQ(magnitude(RandAugmentKind::rotate, 9), 9);
  EXPECT_FLOAT_EQ(magnitude(RandAugmentKind::solarize, 9), 0.7f);
  EXPECT_EQ(magnitude(RandAugmentKind::posterize, 9), 7);
  EXPECT_EQ(magnitude(RandAugmentKind::posterize, 30), 4);
}

}  // namespace
}  // namespace nunchi::data
