// draw/blend.h: a colour mixed into a pixel.
//
//   auto result = as_rgb(picture);
//   blend(result.row(y) + 3 * x, rgb(0xd55e00), 0.5);
#pragma once

#include <cmath>

#include "draw/canvas.h"

namespace nunchi::draw {

inline std::uint8_t mixed(std::uint8_t byte, double part, double opacity) {
  return static_cast<std::uint8_t>(std::lround(std::lerp(static_cast<double>(byte), 255 * part, opacity)));
}

// `pixel`: three bytes. Opacity 0 leaves them as they are.
inline void blend(std::uint8_t* pixel, const Color& color, double opacity) {
  pixel[0] = mixed(pixel[0], color.red, opacity);
  pixel[1] = mixed(pixel[1], color.green, opacity);
  pixel[2] = mixed(pixel[2], color.blue, opacity);
}

// A copy with three channels.
inline image::Picture as_rgb(const image::Picture& picture) {
  if (picture.channels == 3) return picture;
  auto result = image::make_picture(picture.width, picture.height);
  for (std::size_t i = 0; i < result.pixels.size(); ++i) result.pixels[i] = picture.pixels[i / 3];
  return result;
}

}  // namespace nunchi::draw
