// image/encode.h: pictures to PNG files in memory.
//
//   write_file("mask.png", encode_png(picture));     // core/file.h
#pragma once

#include <cstddef>
#include <vector>

#include "image/picture.h"

namespace nunchi::image {

// RGB (3 channels) or gray (1).
std::vector<std::byte> encode_png(const Picture& picture);

}  // namespace nunchi::image
