// data/augment_draw.h: the parameters of augmentation, drawn from the distributions of torchvision v2.
//
//   const image::Window window = draw_resized_crop({}, {640, 480}, random);
//   for (int i = 0; i < 2; ++i) picture = apply(draw_rand_augment({}, size, random), std::move(picture), {});
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "data/augment.h"
#include "data/augment_ops.h"

namespace nunchi::data {

struct PictureSize {
  int width = 0, height = 0;
};

// Ten tries with an area uniform in `scale` and a shape uniform in the logarithm of `ratio`; then the largest central
// part of an allowed shape.
image::Window draw_resized_crop(const RandomResizedCrop& options, PictureSize picture, Random& random);

// Where the window of the result lies; negative coordinates are padding.
image::Window draw_crop(const RandomCrop& options, PictureSize picture, PictureSize result, Random& random);

// On the result; nothing where it is not to happen, or where ten tries did not fit.
std::optional<image::Window> draw_erasing(const RandomErasing& options, PictureSize picture, Random& random);

image::Picture jitter_color(image::Picture picture, const ColorJitter& options, Random& random);

enum class RandAugmentKind {
  identity,
  shear_x,
  shear_y,
  translate_x,
  translate_y,
  rotate,
  brightness,
  color,
  contrast,
  sharpness,
  posterize,
  solarize,
  autocontrast,
  equalize,
};
constexpr int rand_augment_kinds = 14;

// A slope, pixels, degrees, what is added to a factor of 1, bits, or the part of 255 from which on is solarized.
struct RandAugmentStep {
  RandAugmentKind kind = RandAugmentKind::identity;
  double magnitude = 0;
};

// Magnitude number `options.magnitude` of `options.bins` for a picture of this size, positive.
double rand_augment_magnitude(RandAugmentKind kind, const RandAugment& options, PictureSize picture);

RandAugmentStep draw_rand_augment(const RandAugment& options, PictureSize picture, Random& random);
image::Picture apply(const RandAugmentStep& step, image::Picture picture, const WarpOptions& options);

}  // namespace nunchi::data
