// For the tests of what is drawn: the pixels of a PNG, and what can be said of them.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "core/file.h"
#include "draw/canvas.h"
#include "image/decode.h"

namespace nunchi::draw {

// NUNCHI_DRAWN=FOLDER keeps the pictures, for looking at them.
inline image::Picture drawn(const std::vector<std::byte>& png, const std::string& name) {
  if (const char* folder = std::getenv("NUNCHI_DRAWN")) write_file(std::string(folder) + "/" + name + ".png", png);
  return image::decode(png, name);
}

// The pixels of exactly this colour.
inline std::int64_t count_of(const image::Picture& picture, const Color& color) {
  const auto is = [](std::uint8_t value, double part) { return std::abs(value - 255 * part) < 1.5; };
  std::int64_t found = 0;
  for (std::size_t i = 0; i < picture.pixels.size(); i += 3) {
    found += is(picture.pixels[i], color.red) && is(picture.pixels[i + 1], color.green) &&
             is(picture.pixels[i + 2], color.blue);
  }
  return found;
}

// Nothing but paper in the outermost points: whatever is drawn there was cut or is about to be.
inline testing::AssertionResult has_a_clean_edge(const image::Picture& picture) {
  constexpr int edge = 12;
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) {
      const bool inside = x >= edge && y >= edge && x < picture.width - edge && y < picture.height - edge;
      const std::uint8_t* pixel = picture.row(y) + 3 * x;
      if (!inside && (pixel[0] < 255 || pixel[1] < 255 || pixel[2] < 255))
        return testing::AssertionFailure() << "something is drawn at " << x << ", " << y;
    }
  }
  return testing::AssertionSuccess();
}

}  // namespace nunchi::draw
