#include "data/augment_draw.h"

#include <algorithm>
#include <cmath>

#include "core/assert.h"

namespace nunchi::data {
namespace {

using image::Picture;
using image::Window;

constexpr int tries = 10;

struct Shape {
  double width = 0, height = 0;  // whole numbers, as large as they come
};

// Of random area and, uniform in its logarithm, random width / height. std::nearbyint rounds halves to even, as Python.
Shape draw_shape(std::array<double, 2> scale, std::array<double, 2> ratio, PictureSize picture, Random& random) {
  const double area = picture.width * static_cast<double>(picture.height) * random.uniform(scale[0], scale[1]);
  const double shape = std::exp(random.uniform(std::log(ratio[0]), std::log(ratio[1])));
  return {std::nearbyint(std::sqrt(area * shape)), std::nearbyint(std::sqrt(area / shape))};
}

int draw_position(int room, Random& random) { return static_cast<int>(random.below(std::int64_t{room} + 1)); }

Window central_crop(const RandomResizedCrop& options, PictureSize picture) {
  const double shape = static_cast<double>(picture.width) / picture.height;
  Window window{0, 0, picture.width, picture.height};
  if (shape < options.ratio[0]) {
    window.height = static_cast<int>(std::nearbyint(picture.width / options.ratio[0]));
  } else if (shape > options.ratio[1]) {
    window.width = static_cast<int>(std::nearbyint(picture.height * options.ratio[1]));
  }
  window.left = (picture.width - window.width) / 2;
  window.top = (picture.height - window.height) / 2;
  return window;
}

// As torch.linspace in 32 bits, from both ends towards the middle, on a processor with fused multiply-add: the sum is
// rounded once. In double precision the product is exact.
double spaced(double from, double to, int bins, int index) {
  const auto first = static_cast<float>(from), last = static_cast<float>(to);
  if (bins == 1) return first;
  const double step = (last - first) / static_cast<float>(bins - 1);
  return static_cast<float>(index < bins / 2 ? first + step * index : last - step * (bins - index - 1));
}

double posterize_bits(const RandAugment& options) {
  if (options.bins == 1) return 8;
  const auto lost = static_cast<float>(options.magnitude) / static_cast<float>((options.bins - 1) / 4.0);
  return std::nearbyint(8 - lost);
}

bool has_sign(RandAugmentKind kind) { return kind >= RandAugmentKind::shear_x && kind <= RandAugmentKind::sharpness; }

}  // namespace

Window draw_resized_crop(const RandomResizedCrop& options, PictureSize picture, Random& random) {
  for (int i = 0; i < tries; ++i) {
    const Shape shape = draw_shape(options.scale, options.ratio, picture, random);
    const bool fits =
        shape.width > 0 && shape.width <= picture.width && shape.height > 0 && shape.height <= picture.height;
    if (!fits) continue;
    Window window{0, 0, static_cast<int>(shape.width), static_cast<int>(shape.height)};
    window.top = draw_position(picture.height - window.height, random);
    window.left = draw_position(picture.width - window.width, random);
    return window;
  }
  return central_crop(options, picture);
}

// A picture that is too small with its padding gets what it lacks on both sides.
Window draw_crop(const RandomCrop& options, PictureSize picture, PictureSize result, Random& random) {
  const auto start = [&](int size, int wanted) {
    const int padded = size + 2 * options.padding;
    const int lacking = std::max(0, wanted - padded);
    return draw_position(padded + 2 * lacking - wanted, random) - options.padding - lacking;
  };
  const int top = start(picture.height, result.height);
  const int left = start(picture.width, result.width);
  return {left, top, result.width, result.height};
}

std::optional<Window> draw_erasing(const RandomErasing& options, PictureSize picture, Random& random) {
  if (!random.chance(options.probability)) return {};
  const std::array<double, 2> upright = {1 / options.ratio[1], 1 / options.ratio[0]};
  for (int i = 0; i < tries; ++i) {
    const Shape shape = draw_shape(options.scale, upright, picture, random);
    if (shape.width >= picture.width || shape.height >= picture.height) continue;
    Window window{0, 0, static_cast<int>(shape.width), static_cast<int>(shape.height)};
    window.top = draw_position(picture.height - window.height, random);
    window.left = draw_position(picture.width - window.width, random);
    return window;
  }
  return {};
}

Picture jitter_color(Picture picture, const ColorJitter& options, Random& random) {
  if (!random.chance(options.probability)) return picture;
  std::array<int, 4> order = {0, 1, 2, 3};
  random.shuffle(order);
  const auto factor = [&](double strength) { return random.uniform(std::max(0.0, 1 - strength), 1 + strength); };
  const double brightness = factor(options.brightness), contrast = factor(options.contrast);
  const double saturation = factor(options.saturation), hue = random.uniform(-options.hue, options.hue);
  for (const int step : order) {
    if (step == 0 && options.brightness > 0) picture = adjust_brightness(std::move(picture), brightness);
    if (step == 1 && options.contrast > 0) picture = adjust_contrast(std::move(picture), contrast);
    if (step == 2 && options.saturation > 0) picture = adjust_saturation(std::move(picture), saturation);
    if (step == 3 && options.hue > 0) picture = adjust_hue(std::move(picture), hue);
  }
  return picture;
}

double rand_augment_magnitude(RandAugmentKind kind, const RandAugment& options, PictureSize picture) {
  const auto up_to = [&](double most) { return spaced(0, most, options.bins, options.magnitude); };
  switch (kind) {
    case RandAugmentKind::shear_x:
    case RandAugmentKind::shear_y:
      return up_to(0.3);
    case RandAugmentKind::translate_x:
      return up_to(150.0 / 331.0 * picture.width);
    case RandAugmentKind::translate_y:
      return up_to(150.0 / 331.0 * picture.height);
    case RandAugmentKind::rotate:
      return up_to(30);
    case RandAugmentKind::brightness:
    case RandAugmentKind::color:
    case RandAugmentKind::contrast:
    case RandAugmentKind::sharpness:
      return up_to(0.9);
    case RandAugmentKind::posterize:
      return posterize_bits(options);
    case RandAugmentKind::solarize:
      return spaced(1, 0, options.bins, options.magnitude);
    case RandAugmentKind::identity:
    case RandAugmentKind::autocontrast:
    case RandAugmentKind::equalize:
      return 0;
  }
  ASSERT(false, "every kind has a magnitude");
}

RandAugmentStep draw_rand_augment(const RandAugment& options, PictureSize picture, Random& random) {
  const auto kind = static_cast<RandAugmentKind>(random.below(rand_augment_kinds));
  const double magnitude = rand_augment_magnitude(kind, options, picture);
  return {kind, has_sign(kind) && random.chance(0.5) ? -magnitude : magnitude};
}

Picture apply(const RandAugmentStep& step, Picture picture, const WarpOptions& options) {
  const double magnitude = step.magnitude;
  switch (step.kind) {
    case RandAugmentKind::identity:
      return picture;
    case RandAugmentKind::shear_x:
      return shear_x(picture, magnitude, options);
    case RandAugmentKind::shear_y:
      return shear_y(picture, magnitude, options);
    case RandAugmentKind::translate_x:
      return translate(picture, static_cast<int>(magnitude), 0, options);
    case RandAugmentKind::translate_y:
      return translate(picture, 0, static_cast<int>(magnitude), options);
    case RandAugmentKind::rotate:
      return rotate(picture, magnitude, options);
    case RandAugmentKind::brightness:
      return adjust_brightness(std::move(picture), 1 + magnitude);
    case RandAugmentKind::color:
      return adjust_saturation(std::move(picture), 1 + magnitude);
    case RandAugmentKind::contrast:
      return adjust_contrast(std::move(picture), 1 + magnitude);
    case RandAugmentKind::sharpness:
      return adjust_sharpness(std::move(picture), 1 + magnitude);
    case RandAugmentKind::posterize:
      return posterize(std::move(picture), static_cast<int>(magnitude));
    case RandAugmentKind::solarize:
      return solarize(std::move(picture), 255 * magnitude);
    case RandAugmentKind::autocontrast:
      return autocontrast(std::move(picture));
    case RandAugmentKind::equalize:
      return equalize(std::move(picture));
  }
  ASSERT(false, "every kind has an operation");
}

}  // namespace nunchi::data
