// image/random.h: the numbers, pictures and hashes of tools/image_golden.py, computed in the same way.
//
//   Random random(7);  random.between(1, 6);
//   Picture picture = random_picture(/* seed */ 7, 640, 480, 3);
//   EXPECT_EQ(hash_text(picture.pixels), "0123456789abcdef");
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "image/picture.h"

namespace nunchi::image {

constexpr std::uint64_t gamma_step = 0x9E3779B97F4A7C15;

inline std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() { return mix(state_ += gamma_step); }
  int between(int low, int high) { return low + static_cast<int>(next() % static_cast<std::uint64_t>(high - low + 1)); }

 private:
  std::uint64_t state_;
};

inline Picture random_picture(std::uint64_t seed, int width, int height, int channels) {
  Picture picture = make_picture(width, height, channels);
  for (std::size_t i = 0; i < picture.pixels.size(); ++i) {
    const std::uint64_t word = mix(seed + (i / 8 + 1) * gamma_step);
    picture.pixels[i] = static_cast<std::uint8_t>(word >> (i % 8 * 8));
  }
  for (int y = 0; y < height; ++y) {
    for (int x = width / 2; x < width; ++x) {
      for (int c = 0; c < channels; ++c) {
        picture.row(y)[x * channels + c] = static_cast<std::uint8_t>(x * 3 + y * 5 + c * 40);
      }
    }
  }
  return picture;
}

inline std::uint64_t hash_bytes(std::span<const std::byte> bytes) {
  std::uint64_t sum = bytes.size();
  for (std::size_t i = 0; i < bytes.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, std::min<std::size_t>(8, bytes.size() - i));
    sum += mix(word ^ (i / 8 + 1) * gamma_step);
  }
  return sum;
}

template <class T>
std::string hash_text(const T& values) {
  return fmt::format("{:016x}", hash_bytes(std::as_bytes(std::span(values))));
}

}  // namespace nunchi::image
