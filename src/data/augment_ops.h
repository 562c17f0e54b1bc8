// data/augment_ops.h: the steps of augmentation as functions of fixed parameters.
//
//   picture = adjust_hue(std::move(picture), 0.1);
//   picture = rotate(picture, 30, {.filter = image::Filter::bilinear, .fill = {124, 116, 104}});
//
// Gray and RGB pictures. The reference is torchvision v2 on PIL pictures, which is Pillow 13's own arithmetic; the
// results are equal bit for bit (tools/check_augment.py).
#pragma once

#include <array>
#include <cstdint>

#include "data/augment.h"
#include "image/picture.h"
#include "image/resize.h"

namespace nunchi::data {

// Blends with black, with gray of the mean brightness, with the gray picture, with the smoothed picture: factor 0 gives
// that, 1 the picture, more goes beyond. Factors are at least 0.
image::Picture adjust_brightness(image::Picture picture, double factor);
image::Picture adjust_contrast(image::Picture picture, double factor);
image::Picture adjust_saturation(image::Picture picture, double factor);
image::Picture adjust_sharpness(image::Picture picture, double factor);

// Part of the colour circle, -0.5 to 0.5, truncated to steps of 1/255. A gray picture stays as it is.
image::Picture adjust_hue(image::Picture picture, double turn);

image::Picture to_gray(const image::Picture& picture, int channels);  // 1, or 3 equal ones

image::Picture posterize(image::Picture picture, int bits);         // 1 to 8 are kept
image::Picture solarize(image::Picture picture, double threshold);  // from it on bytes are inverted
image::Picture autocontrast(image::Picture picture);
image::Picture equalize(image::Picture picture);

image::Picture flip_left_right(image::Picture picture);
image::Picture flip_top_bottom(image::Picture picture);

// The window of a padded picture; it may reach out of the picture on any side. Modes reflect and symmetric reach as far
// as numpy.pad does: over and over.
image::Picture crop_padded(const image::Picture& picture, const image::Window& window, Padding mode,
                           std::array<std::uint8_t, 3> fill);

struct WarpOptions {
  image::Filter filter = image::Filter::nearest;  // nearest, bilinear or bicubic
  std::array<std::uint8_t, 3> fill{0, 0, 0};      // of what comes from outside
};

// The result's pixel (x, y) comes from (m[0] x + m[1] y + m[2], m[3] x + m[4] y + m[5]), both from pixel centres.
image::Picture warp(const image::Picture& picture, const std::array<double, 6>& matrix,
                    const WarpOptions& options = {});

image::Picture rotate(const image::Picture& picture, double degrees, const WarpOptions& options = {});  // leftwards
image::Picture shear_x(const image::Picture& picture, double slope, const WarpOptions& options = {});   // from the top
image::Picture shear_y(const image::Picture& picture, double slope, const WarpOptions& options = {});   // from the left
image::Picture translate(const image::Picture& picture, int right, int down, const WarpOptions& options = {});

}  // namespace nunchi::data
