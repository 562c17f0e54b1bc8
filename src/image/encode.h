// image/encode.h: pictures to PNG and JPEG files in memory.
//
//   write_file("mask.png", encode_png(picture));     // core/file.h
#pragma once

#include <cstddef>
#include <vector>

#include "image/picture.h"

namespace nunchi::image {

// RGB (3 channels) or gray (1).
std::vector<std::byte> encode_png(const Picture& picture);

// The same; quality 1 ... 100. Asserts that no side is longer than the 65,500 pixels that the format knows.
std::vector<std::byte> encode_jpeg(const Picture& picture, int quality = 88);

}  // namespace nunchi::image
