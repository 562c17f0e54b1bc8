// image/decode.h: picture files to RGB, equal to Pillow's Image.open(f).convert("RGB") bit for bit.
//
// The format is known by the first bytes, never by the name: JPEG, PNG, WebP, TIFF, BMP, PBM/PGM/PPM, GIF. Of an
// animation the first frame is taken; alpha is dropped. A file that is truncated or corrupt is an error, never half a
// picture.
//
//   Picture picture = read_picture("cat.jpg");
//   Picture as_stored = read_picture("cat.jpg", {.apply_exif_orientation = false});   // timm and torchvision
//   for (const auto& path : files) if (looks_like_picture(path)) ...
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "image/picture.h"

namespace nunchi::image {

struct DecodeOptions {
  bool apply_exif_orientation = true;
  std::int64_t max_pixels = 178'956'970;  // Pillow's own limit: twice Image.MAX_IMAGE_PIXELS
};

// Throws Error (input) that begins with `name`.
Picture decode(std::span<const std::byte> bytes, const std::string& name, const DecodeOptions& options = {});

Picture read_picture(const std::filesystem::path& path, const DecodeOptions& options = {});

// By the extension only: for walking through folders.
bool looks_like_picture(const std::filesystem::path& path);

}  // namespace nunchi::image
