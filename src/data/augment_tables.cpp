// What maps each byte on its own, as Pillow's ImageOps: posterize, solarize, autocontrast, equalize.
#include <algorithm>
#include <array>
#include <cstring>

#include "core/assert.h"
#include "data/augment_ops.h"

namespace nunchi::data {
namespace {

using image::Picture;
using Table = std::array<std::uint8_t, 256>;
using Histogram = std::array<std::int64_t, 256>;

Table identity() {
  Table table;
  for (std::size_t byte = 0; byte < table.size(); ++byte) table[byte] = static_cast<std::uint8_t>(byte);
  return table;
}

Picture map_bytes(Picture picture, const Table& table) {
  for (std::uint8_t& byte : picture.pixels) byte = table[byte];
  return picture;
}

Histogram histogram_of(const Picture& picture, std::size_t channel) {
  std::array<std::uint32_t, 256> even{}, odd{};  // two, since equal neighbours would wait for each other's sum
  const auto step = static_cast<std::size_t>(picture.channels);
  const auto end = picture.pixels.size();
  std::size_t i = channel;
  for (; i + step < end; i += 2 * step) ++even[picture.pixels[i]], ++odd[picture.pixels[i + step]];
  if (i < end) ++even[picture.pixels[i]];
  Histogram histogram;
  for (std::size_t byte = 0; byte < 256; ++byte) histogram[byte] = std::int64_t{even[byte]} + odd[byte];
  return histogram;
}

// A table for each channel, made from its histogram.
template <class Make>
Picture map_channels(Picture picture, Make make) {
  const auto step = static_cast<std::size_t>(picture.channels);
  for (std::size_t channel = 0; channel < step; ++channel) {
    const Table table = make(histogram_of(picture, channel));
    for (std::size_t i = channel; i < picture.pixels.size(); i += step) picture.pixels[i] = table[picture.pixels[i]];
  }
  return picture;
}

Table stretched(const Histogram& histogram) {
  Table table = identity();
  const auto occurs = [](std::int64_t count) { return count != 0; };
  const auto low = std::ranges::find_if(histogram, occurs) - histogram.begin();
  const auto high = histogram.rend() - std::find_if(histogram.rbegin(), histogram.rend(), occurs) - 1;
  if (high <= low) return table;
  const double scale = 255.0 / static_cast<double>(high - low);
  const double offset = static_cast<double>(-low) * scale;
  for (int byte = 0; byte < 256; ++byte) {
    const auto value = static_cast<int>(byte * scale + offset);
    table[static_cast<std::size_t>(byte)] = static_cast<std::uint8_t>(std::clamp(value, 0, 255));
  }
  return table;
}

Table equalized(const Histogram& histogram) {
  Table table = identity();
  std::int64_t sum = 0, last = 0;
  for (const std::int64_t count : histogram) {
    sum += count;
    if (count != 0) last = count;
  }
  const std::int64_t step = (sum - last) / 255;
  if (step == 0) return table;
  std::int64_t below = step / 2;
  for (std::size_t byte = 0; byte < table.size(); ++byte) {
    table[byte] = static_cast<std::uint8_t>(std::min<std::int64_t>(below / step, 255));
    below += histogram[byte];
  }
  return table;
}

}  // namespace

Picture posterize(Picture picture, int bits) {
  ASSERT(bits >= 1 && bits <= 8, "a byte keeps 1 to 8 bits");
  const auto mask = static_cast<std::uint8_t>(0xFF << (8 - bits));
  for (std::uint8_t& byte : picture.pixels) byte &= mask;
  return picture;
}

Picture solarize(Picture picture, double threshold) {
  Table table = identity();
  for (std::size_t byte = 0; byte < table.size(); ++byte)
    if (static_cast<double>(byte) >= threshold) table[byte] = static_cast<std::uint8_t>(255 - byte);
  return map_bytes(std::move(picture), table);
}

Picture autocontrast(Picture picture) { return map_channels(std::move(picture), stretched); }

Picture equalize(Picture picture) { return map_channels(std::move(picture), equalized); }

}  // namespace nunchi::data
