// image/codecs.h: what the decoders of the single formats share; used by decode.cpp only.
//
//   const Source source{bytes, "cat.jpg", max_pixels};
//   Decoded decoded = decode_jpeg(source);
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "image/picture.h"

namespace nunchi::image {

struct Source {
  std::span<const std::byte> bytes;
  const std::string& name;
  std::int64_t max_pixels;

  const std::uint8_t* data() const { return reinterpret_cast<const std::uint8_t*>(bytes.data()); }
  std::size_t size() const { return bytes.size(); }

  // Throws Error (input): "NAME: not a complete JPEG: REASON".
  [[noreturn]] void fail(std::string_view format, std::string_view reason) const;

  // Throws where a side is not positive or the picture is over the limit; called before memory is taken.
  void check_size(std::string_view format, std::int64_t width, std::int64_t height) const;
};

struct Decoded {
  Picture picture;
  int orientation = 1;  // of EXIF, 1 to 8
};

Decoded decode_jpeg(const Source& source);
Decoded decode_png(const Source& source);
Decoded decode_webp(const Source& source);
Decoded decode_tiff(const Source& source);
Decoded decode_bmp(const Source& source);
Decoded decode_pnm(const Source& source);
Decoded decode_gif(const Source& source);

// Pillow's conversion of one CMYK pixel (0 = no ink) to RGB.
inline void cmyk_to_rgb(const std::uint8_t* cmyk, std::uint8_t* rgb) {
  const unsigned white = 255u - cmyk[3];
  for (int i = 0; i < 3; ++i) {
    const unsigned product = cmyk[i] * white + 128;
    rgb[i] = static_cast<std::uint8_t>(white - ((product + (product >> 8)) >> 8));
  }
}

}  // namespace nunchi::image
