// image/picture.h: an 8-bit picture in memory.
//
//   Picture picture = read_picture("cat.jpg");              // image/decode.h
//   const std::uint8_t* pixel = picture.pixels.data() + (y * picture.width + x) * picture.channels;
#pragma once

#include <cstddef>
#include <cstdint>

#include "image/buffer.h"

namespace nunchi::image {

struct Picture {
  int width = 0, height = 0, channels = 3;  // channels: 3 = RGB, 1 = gray
  Buffer<std::uint8_t> pixels;              // [height, width, channels]

  std::size_t row_bytes() const { return static_cast<std::size_t>(width) * static_cast<std::size_t>(channels); }
  std::uint8_t* row(int y) { return pixels.data() + static_cast<std::size_t>(y) * row_bytes(); }
  const std::uint8_t* row(int y) const { return pixels.data() + static_cast<std::size_t>(y) * row_bytes(); }
};

// Its pixels are not set.
inline Picture make_picture(int width, int height, int channels = 3) {
  Picture picture{width, height, channels, {}};
  picture.pixels.resize(static_cast<std::size_t>(height) * picture.row_bytes());
  return picture;
}

}  // namespace nunchi::image
