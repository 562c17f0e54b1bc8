#include <algorithm>
#include <array>
#include <cmath>

#include "core/assert.h"
#include "draw/blend.h"
#include "draw/overlay.h"

namespace nunchi::draw {
namespace {

constexpr int nothing = -1;

int label_at(const LabelMap& map, int row, int column) {
  const auto y = static_cast<std::size_t>(std::clamp(row, 0, map.rows - 1));
  const auto x = static_cast<std::size_t>(std::clamp(column, 0, map.columns - 1));
  return map.labels[y * static_cast<std::size_t>(map.columns) + x];
}

// Of the four nearest places the label with the greatest share, as if each were a bilinear map of its own.
int smooth_label_at(const LabelMap& map, double across, double down) {
  const double left = std::floor(across - 0.5), top = std::floor(down - 0.5);
  const double right_share = across - 0.5 - left, bottom_share = down - 0.5 - top;
  const int column = static_cast<int>(left), row = static_cast<int>(top);
  const std::array labels = {label_at(map, row, column), label_at(map, row, column + 1), label_at(map, row + 1, column),
                             label_at(map, row + 1, column + 1)};
  const std::array shares = {(1 - right_share) * (1 - bottom_share), right_share * (1 - bottom_share),
                             (1 - right_share) * bottom_share, right_share * bottom_share};
  int best = labels[0];
  double greatest = -1;
  for (const int label : labels) {
    double share = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) share += labels[i] == label ? shares[i] : 0;
    if (share > greatest + 1e-12) {
      best = label;
      greatest = share;
    }
  }
  return best;
}

// Another place begins within `distance` to the left, right, top or bottom. The edge of the picture is none.
bool near_edge(const LabelMap& pixels, int row, int column, int distance) {
  const int label = label_at(pixels, row, column);
  for (int step = 1; step <= distance; ++step) {
    if (label_at(pixels, row, column - step) != label || label_at(pixels, row, column + step) != label ||
        label_at(pixels, row - step, column) != label || label_at(pixels, row + step, column) != label)
      return true;
  }
  return false;
}

}  // namespace

Color color_of_label(int label, const LabelOptions& options) {
  const auto id = static_cast<std::size_t>(label);
  return id < options.colors.size() ? options.colors[id] : class_color(id);
}

LabelMap labels_of_pixels(const LabelMap& map, int width, int height, const LabelOptions& options) {
  ASSERT(map.rows > 0 && map.columns > 0 &&
             map.labels.size() == static_cast<std::size_t>(map.rows) * static_cast<std::size_t>(map.columns),
         "a label map has a label for each place");
  LabelMap pixels{.rows = height, .columns = width, .labels = {}};
  pixels.labels.reserve(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  for (int row = 0; row < height; ++row) {
    for (int column = 0; column < width; ++column) {
      const double across = (column + 0.5) / width * map.columns, down = (row + 0.5) / height * map.rows;
      const int label = options.smooth ? smooth_label_at(map, across, down)
                                       : label_at(map, static_cast<int>(down), static_cast<int>(across));
      pixels.labels.push_back(label < 0 || label == options.ignored ? nothing : label);
    }
  }
  return pixels;
}

image::Picture overlay(const image::Picture& picture, const LabelMap& map, const LabelOptions& options) {
  const auto pixels = labels_of_pixels(map, picture.width, picture.height, options);
  auto result = as_rgb(picture);
  for (int row = 0; row < picture.height; ++row) {
    std::uint8_t* pixel = result.row(row);
    for (int column = 0; column < picture.width; ++column, pixel += 3) {
      const int label = label_at(pixels, row, column);
      if (label == nothing) continue;
      const bool edge = near_edge(pixels, row, column, options.outline);
      blend(pixel, color_of_label(label, options), edge ? 1 : options.opacity);
    }
  }
  return result;
}

}  // namespace nunchi::draw
