#include <algorithm>
#include <cmath>

#include "draw/figure.h"
#include "image/resize.h"

namespace nunchi::draw {
namespace {

image::Picture plain(int width, int height, const Color& color) {
  auto picture = image::make_picture(width, height);
  const auto byte = [](double part) { return static_cast<std::uint8_t>(std::lround(255 * part)); };
  for (std::size_t i = 0; i < picture.pixels.size(); i += 3) {
    picture.pixels[i] = byte(color.red);
    picture.pixels[i + 1] = byte(color.green);
    picture.pixels[i + 2] = byte(color.blue);
  }
  return picture;
}

}  // namespace

image::Picture panel_picture(const Panel& panel, int width, int height, double pixels_per_point) {
  const bool alone = !panel.picture;
  const auto filter = panel.scaling == Scaling::pixels ? image::Filter::nearest : image::Filter::bicubic;
  auto result = alone ? plain(width, height, paper) : image::resize(*panel.picture, width, height, {.filter = filter});
  if (panel.heat) {
    result = alone ? heat_picture(*panel.heat, width, height, panel.heat_options)
                   : overlay(result, *panel.heat, panel.heat_options);
  }
  if (panel.labels) {
    auto options = panel.label_options;
    options.outline = static_cast<int>(std::lround(options.outline * pixels_per_point));
    if (alone && !panel.heat) options.opacity = 1;
    result = overlay(result, *panel.labels, options);
  }
  return result;
}

}  // namespace nunchi::draw
