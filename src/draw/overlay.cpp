#include "draw/overlay.h"

#include <algorithm>
#include <cmath>

#include "core/assert.h"
#include "draw/blend.h"

namespace nunchi::draw {
namespace {

float patch_at(const HeatMap& map, double x, double y) {
  const int row = std::clamp(static_cast<int>(y * map.rows), 0, map.rows - 1);
  const int column = std::clamp(static_cast<int>(x * map.columns), 0, map.columns - 1);
  return map
      .values[static_cast<std::size_t>(row) * static_cast<std::size_t>(map.columns) + static_cast<std::size_t>(column)];
}

// No opacity where there is no number.
double opacity_at(double share, const OverlayOptions& options) {
  if (!options.opacity_by_value) return options.opacity;
  return std::isfinite(share) ? options.opacity * std::clamp(share, 0.0, 1.0) : 0;
}

}  // namespace

std::array<float, 2> ends_of(const HeatMap& map) {
  std::array<float, 2> ends = {0, 0};
  bool any = false;
  for (const float value : map.values) {
    if (!std::isfinite(value)) continue;
    ends = any ? std::array{std::min(ends[0], value), std::max(ends[1], value)} : std::array{value, value};
    any = true;
  }
  return ends;
}

float value_at(const HeatMap& map, double x, double y) {
  // A half patch before the first middle and behind the last the value stays as it is there.
  const double across = std::clamp(x * map.columns - 0.5, 0.0, static_cast<double>(map.columns - 1));
  const double down = std::clamp(y * map.rows - 0.5, 0.0, static_cast<double>(map.rows - 1));
  const int left = static_cast<int>(across), top = static_cast<int>(down);
  const int right = std::min(left + 1, map.columns - 1), bottom = std::min(top + 1, map.rows - 1);
  const auto at = [&](int row, int column) {
    return map.values[static_cast<std::size_t>(row) * static_cast<std::size_t>(map.columns) +
                      static_cast<std::size_t>(column)];
  };
  const auto horizontal = static_cast<float>(across - left), vertical = static_cast<float>(down - top);
  return std::lerp(std::lerp(at(top, left), at(top, right), horizontal),
                   std::lerp(at(bottom, left), at(bottom, right), horizontal), vertical);
}

image::Picture overlay(const image::Picture& picture, const HeatMap& map, const OverlayOptions& options) {
  ASSERT(map.rows > 0 && map.columns > 0 &&
             map.values.size() == static_cast<std::size_t>(map.rows) * static_cast<std::size_t>(map.columns),
         "a heat map has a value for each place");
  const auto ends = ends_of(map);
  const float least = options.least.value_or(ends[0]), greatest = options.greatest.value_or(ends[1]);
  const float range = greatest > least ? greatest - least : 1;
  auto result = as_rgb(picture);
  for (int row = 0; row < picture.height; ++row) {
    std::uint8_t* pixel = result.row(row);
    for (int column = 0; column < picture.width; ++column, pixel += 3) {
      const double x = (column + 0.5) / picture.width, y = (row + 0.5) / picture.height;
      const float value = options.patches ? patch_at(map, x, y) : value_at(map, x, y);
      const double share = (value - least) / range;
      blend(pixel, color_of(options.colors, share), opacity_at(share, options));
    }
  }
  return result;
}

image::Picture heat_picture(const HeatMap& map, int width, int height, const OverlayOptions& options) {
  auto blank = image::make_picture(width, height);
  std::fill(blank.pixels.begin(), blank.pixels.end(), std::uint8_t{255});
  auto opaque = options;
  opaque.opacity = 1;
  opaque.opacity_by_value = false;
  return overlay(blank, map, opaque);
}

}  // namespace nunchi::draw
