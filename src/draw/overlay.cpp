#include "draw/overlay.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/assert.h"

namespace nunchi::draw {
namespace {

// Of the values that are numbers.
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

float patch_at(const HeatMap& map, double x, double y) {
  const int row = std::clamp(static_cast<int>(y * map.rows), 0, map.rows - 1);
  const int column = std::clamp(static_cast<int>(x * map.columns), 0, map.columns - 1);
  return map
      .values[static_cast<std::size_t>(row) * static_cast<std::size_t>(map.columns) + static_cast<std::size_t>(column)];
}

std::uint8_t mixed(std::uint8_t byte, double part, double opacity) {
  return static_cast<std::uint8_t>(std::lround(std::lerp(static_cast<double>(byte), 255 * part, opacity)));
}

}  // namespace

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
  auto result = image::make_picture(picture.width, picture.height);
  for (int row = 0; row < picture.height; ++row) {
    const std::uint8_t* from = picture.row(row);
    std::uint8_t* to = result.row(row);
    for (int column = 0; column < picture.width; ++column, from += picture.channels, to += 3) {
      const double x = (column + 0.5) / picture.width, y = (row + 0.5) / picture.height;
      const float value = options.patches ? patch_at(map, x, y) : value_at(map, x, y);
      const Color color = color_of(options.colors, (value - least) / range);
      const std::size_t green = picture.channels == 3 ? 1 : 0, blue = picture.channels == 3 ? 2 : 0;
      to[0] = mixed(from[0], color.red, options.opacity);
      to[1] = mixed(from[green], color.green, options.opacity);
      to[2] = mixed(from[blue], color.blue, options.opacity);
    }
  }
  return result;
}

}  // namespace nunchi::draw
