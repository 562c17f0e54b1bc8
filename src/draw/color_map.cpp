#include "draw/color_map.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace nunchi::draw {
namespace {

constexpr std::array<std::uint32_t, 18> viridis = {0x440154, 0x481769, 0x472a7a, 0x433d84, 0x3d4e8a, 0x355e8d,
                                                   0x2e6d8e, 0x297b8e, 0x23898e, 0x1f978b, 0x21a585, 0x2eb37c,
                                                   0x46c06f, 0x65cb5e, 0x89d548, 0xb0dd2f, 0xd8e219, 0xfde725};
constexpr std::array<std::uint32_t, 11> diverging = {0x053061, 0x2166ac, 0x4393c3, 0x92c5de, 0xd1e5f0, 0xf7f7f7,
                                                     0xfddbc7, 0xf4a582, 0xd6604d, 0xb2182b, 0x67001f};

Color between(std::span<const std::uint32_t> colors, double share) {
  const double position = std::clamp(share, 0.0, 1.0) * static_cast<double>(colors.size() - 1);
  const std::size_t first = std::min(static_cast<std::size_t>(position), colors.size() - 2);
  const double rest = position - static_cast<double>(first);
  const Color a = rgb(colors[first]), b = rgb(colors[first + 1]);
  return {std::lerp(a.red, b.red, rest), std::lerp(a.green, b.green, rest), std::lerp(a.blue, b.blue, rest)};
}

double linear(double part) { return part <= 0.04045 ? part / 12.92 : std::pow((part + 0.055) / 1.055, 2.4); }

}  // namespace

Color color_of(ColorMap map, double share) {
  if (!std::isfinite(share)) return rgb(0x9aa0a6);
  return map == ColorMap::viridis ? between(viridis, share) : between(diverging, share);
}

double lightness(const Color& color) {
  const double luminance = 0.2126 * linear(color.red) + 0.7152 * linear(color.green) + 0.0722 * linear(color.blue);
  return luminance > 216.0 / 24389 ? 116 * std::cbrt(luminance) - 16 : luminance * 24389 / 27;
}

Color readable_on(const Color& background) { return lightness(background) > 55 ? ink : paper; }

}  // namespace nunchi::draw
