// image/exif.h: the orientation tag of a picture, from EXIF or, where that has none, from XMP.
//
//   int orientation = exif_orientation(app1_after_the_exif_header).value_or(1);
//   apply_orientation(picture, orientation);
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "image/picture.h"

namespace nunchi::image {

// `block` is a TIFF structure, with or without "Exif\0\0" before it (EXIF 2.32, tag 0x0112). Broken blocks have none.
std::optional<int> exif_orientation(std::span<const std::uint8_t> block);

// tiff:Orientation of an XMP packet, as an attribute or an element.
std::optional<int> xmp_orientation(std::span<const std::uint8_t> packet);

// Both sources as Pillow weighs them, 1 where neither says anything.
int orientation_of(std::span<const std::uint8_t> exif, std::span<const std::uint8_t> xmp);

// Turns the picture upright; 1 and values outside 1 to 8 leave it alone.
void apply_orientation(Picture& picture, int orientation);

}  // namespace nunchi::image
