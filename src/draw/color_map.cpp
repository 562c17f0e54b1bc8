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
constexpr std::array<std::uint32_t, 18> turbo = {0x30123b, 0x3f3e9c, 0x4666dd, 0x458cfd, 0x2fb2f4, 0x1ad4d0,
                                                 0x22ebaa, 0x52fa7a, 0x8bff4b, 0xb7f735, 0xdbe236, 0xf5c53a,
                                                 0xfea130, 0xf9751d, 0xe84b0c, 0xce2d04, 0xa91601, 0x7a0403};
constexpr std::array<std::uint32_t, 9> jet = {0x000080, 0x0000ff, 0x0080ff, 0x00ffff, 0x80ff80,
                                              0xffff00, 0xff8000, 0xff0000, 0x800000};
constexpr std::array<std::uint32_t, class_colors> classes = {
    0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7, 0xe69f00, 0x56b4e9, 0xf0e442, 0x0000ee,
    0x880022, 0x4466ee, 0xcceecc, 0x660066, 0x88ee88, 0x00eeee, 0x226666, 0x4400aa,
    0xee2244, 0x884400, 0xccaaaa, 0x8888ee, 0x88aa66, 0xcc00aa, 0x0044ee, 0xccee66};

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
  switch (map) {
    case ColorMap::viridis:
      return between(viridis, share);
    case ColorMap::diverging:
      return between(diverging, share);
    case ColorMap::turbo:
      return between(turbo, share);
    case ColorMap::jet:
      break;
  }
  return between(jet, share);
}

const std::vector<std::string>& color_map_names() {
  static const std::vector<std::string> names = {"viridis", "diverging", "turbo", "jet"};
  return names;
}

std::optional<ColorMap> color_map_from_name(std::string_view name) {
  const auto& names = color_map_names();
  const auto found = std::ranges::find(names, name);
  return found == names.end() ? std::nullopt : std::optional(static_cast<ColorMap>(found - names.begin()));
}

Color class_color(std::size_t id) { return rgb(classes[id % classes.size()]); }

double lightness(const Color& color) {
  const double luminance = 0.2126 * linear(color.red) + 0.7152 * linear(color.green) + 0.0722 * linear(color.blue);
  return luminance > 216.0 / 24389 ? 116 * std::cbrt(luminance) - 16 : luminance * 24389 / 27;
}

Color readable_on(const Color& background) { return lightness(background) > 55 ? ink : paper; }

}  // namespace nunchi::draw
