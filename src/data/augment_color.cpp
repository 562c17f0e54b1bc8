// Colour as Pillow's ImageEnhance, Image.blend and Image.convert have it: 32-bit reals, truncated to bytes.
#include <algorithm>
#include <array>
#include <cmath>

#include "core/assert.h"
#include "data/augment_ops.h"

namespace nunchi::data {
namespace {

using image::Picture;
using Table = std::array<std::uint8_t, 256>;

std::uint8_t blend(int from, int to, float factor) {
  const float value = static_cast<float>(from) + factor * static_cast<float>(to - from);
  return static_cast<std::uint8_t>(static_cast<int>(std::min(std::max(value, 0.0f), 255.0f)));
}

void check_factor(double factor) { ASSERT(factor >= 0, "a picture is blended with a factor of at least 0"); }

// From one gray level for all: a table of bytes holds it.
Picture blend_with_level(Picture picture, int level, double factor) {
  check_factor(factor);
  Table table;
  for (int byte = 0; byte < 256; ++byte)
    table[static_cast<std::size_t>(byte)] = blend(level, byte, static_cast<float>(factor));
  for (std::uint8_t& byte : picture.pixels) byte = table[byte];
  return picture;
}

// ITU-R 601 in 16-bit fixed point.
int gray_of(const std::uint8_t* rgb) { return (rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16; }

int mean_brightness(const Picture& picture) {
  std::int64_t sum = 0;
  const auto step = static_cast<std::size_t>(picture.channels);
  for (std::size_t i = 0; i < picture.pixels.size(); i += step)
    sum += step == 1 ? picture.pixels[i] : gray_of(&picture.pixels[i]);
  const std::size_t count = picture.pixels.size() / step;
  return static_cast<int>(static_cast<double>(sum) / static_cast<double>(count) + 0.5);
}

// Weights 1 1 1, 1 5 1, 1 1 1 over 13; a sum over 13 is never half-way between two bytes, so that integers are exact.
void smooth_row(const std::uint8_t* above, const std::uint8_t* here, const std::uint8_t* below, std::ptrdiff_t step,
                std::ptrdiff_t bytes, std::uint8_t* out) {
  for (std::ptrdiff_t i = step; i < bytes - step; ++i) {
    const int around = above[i - step] + above[i] + above[i + step] + here[i - step] + here[i + step] +
                       below[i - step] + below[i] + below[i + step];
    out[i] = static_cast<std::uint8_t>(static_cast<std::uint16_t>(around + 5 * here[i] + 6) / 13);
  }
}

// The outermost pixels stay as they are.
Picture smooth(const Picture& picture) {
  Picture result = picture;
  if (picture.width < 3 || picture.height < 3) return result;
  const auto bytes = static_cast<std::ptrdiff_t>(picture.row_bytes());
  for (int y = 1; y < picture.height - 1; ++y)
    smooth_row(picture.row(y - 1), picture.row(y), picture.row(y + 1), picture.channels, bytes, result.row(y));
  return result;
}

struct Hsv {
  std::uint8_t hue = 0, saturation = 0, value = 0;
};

// Mixed single and double precision as in Pillow's conversion, which follows Python's colorsys.
Hsv to_hsv(const std::uint8_t* rgb) {
  const std::uint8_t most = std::max({rgb[0], rgb[1], rgb[2]});
  const std::uint8_t least = std::min({rgb[0], rgb[1], rgb[2]});
  if (most == least) return {0, 0, most};
  const auto range = static_cast<float>(most - least);
  const float red = static_cast<float>(most - rgb[0]) / range;
  const float green = static_cast<float>(most - rgb[1]) / range;
  const float blue = static_cast<float>(most - rgb[2]) / range;
  float sixths = blue - green;
  if (rgb[0] != most) sixths = static_cast<float>(rgb[1] == most ? 2.0 + red - blue : 4.0 + green - red);
  const double turn = sixths / 6.0 + 1.0;
  const auto hue = static_cast<float>(turn >= 1.0 ? turn - 1.0 : turn);
  const float saturation = range / static_cast<float>(most);
  return {static_cast<std::uint8_t>(hue * 255.0), static_cast<std::uint8_t>(saturation * 255.0), most};
}

void write_rgb(const Hsv& hsv, std::uint8_t* rgb) {
  const double sixths = static_cast<float>(hsv.hue) * 6.0 / 255.0;
  const auto sector = static_cast<int>(sixths);
  const auto rest = static_cast<float>(sixths - static_cast<float>(sector));
  const auto saturation = static_cast<float>(static_cast<float>(hsv.saturation) / 255.0);
  const auto scaled = [value = static_cast<float>(hsv.value)](double part) {
    return static_cast<std::uint8_t>(std::round(value * part));
  };
  const std::uint8_t v = hsv.value;
  const std::uint8_t least = scaled(1.0 - saturation);
  const std::uint8_t falling = scaled(1.0 - saturation * rest);
  const std::uint8_t rising = scaled(1.0 - saturation * (1.0 - rest));
  const std::array<std::array<std::uint8_t, 3>, 6> sectors = {{{v, rising, least},
                                                               {falling, v, least},
                                                               {least, v, rising},
                                                               {least, falling, v},
                                                               {rising, least, v},
                                                               {v, least, falling}}};
  std::ranges::copy(sectors[static_cast<std::size_t>(sector % 6)], rgb);
}

}  // namespace

Picture adjust_brightness(Picture picture, double factor) { return blend_with_level(std::move(picture), 0, factor); }

Picture adjust_contrast(Picture picture, double factor) {
  const int level = mean_brightness(picture);
  return blend_with_level(std::move(picture), level, factor);
}

Picture adjust_saturation(Picture picture, double factor) {
  check_factor(factor);
  if (picture.channels == 1) return picture;
  for (std::size_t i = 0; i < picture.pixels.size(); i += 3) {
    std::uint8_t* rgb = &picture.pixels[i];
    const int gray = gray_of(rgb);
    for (int c = 0; c < 3; ++c) rgb[c] = blend(gray, rgb[c], static_cast<float>(factor));
  }
  return picture;
}

Picture adjust_sharpness(Picture picture, double factor) {
  check_factor(factor);
  const Picture smoothed = smooth(picture);
  const std::uint8_t* from = smoothed.pixels.data();
  std::uint8_t* to = picture.pixels.data();
  for (std::size_t i = 0; i < picture.pixels.size(); ++i) to[i] = blend(from[i], to[i], static_cast<float>(factor));
  return picture;
}

Picture adjust_hue(Picture picture, double turn) {
  ASSERT(turn >= -0.5 && turn <= 0.5, "hue turns by at most half of the circle");
  if (picture.channels == 1) return picture;
  const auto step = static_cast<std::uint8_t>(static_cast<int>(turn * 255));
  for (std::size_t i = 0; i < picture.pixels.size(); i += 3) {
    Hsv hsv = to_hsv(&picture.pixels[i]);
    hsv.hue = static_cast<std::uint8_t>(hsv.hue + step);
    write_rgb(hsv, &picture.pixels[i]);
  }
  return picture;
}

Picture to_gray(const Picture& picture, int channels) {
  ASSERT(channels == 1 || channels == 3, "gray is one channel or three");
  Picture result = image::make_picture(picture.width, picture.height, channels);
  std::uint8_t* out = result.pixels.data();
  const auto step = static_cast<std::size_t>(picture.channels);
  for (std::size_t i = 0; i < picture.pixels.size(); i += step) {
    const int gray = step == 1 ? picture.pixels[i] : gray_of(&picture.pixels[i]);
    for (int c = 0; c < channels; ++c) *out++ = static_cast<std::uint8_t>(gray);
  }
  return result;
}

}  // namespace nunchi::data
