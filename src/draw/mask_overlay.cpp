#include <algorithm>
#include <numeric>

#include "core/assert.h"
#include "draw/blend.h"
#include "draw/overlay.h"

namespace nunchi::draw {
namespace {

bool is_inside(const Mask& mask, double x, double y) {
  const auto column = std::min(static_cast<int>(x * mask.columns), mask.columns - 1);
  const auto row = std::min(static_cast<int>(y * mask.rows), mask.rows - 1);
  return mask.inside[static_cast<std::size_t>(row) * static_cast<std::size_t>(mask.columns) +
                     static_cast<std::size_t>(column)];
}

double share(const Mask& mask) {
  return static_cast<double>(std::ranges::count(mask.inside, true)) / static_cast<double>(mask.inside.size());
}

}  // namespace

std::vector<std::size_t> largest_masks(std::span<const Mask> masks, std::size_t most) {
  std::vector<std::size_t> order(masks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t index) { return share(masks[index]); });
  order.resize(std::min(most, order.size()));
  return order;
}

image::Picture overlay(const image::Picture& picture, std::span<const Mask> masks, const MaskOptions& options) {
  auto result = as_rgb(picture);
  for (const auto index : largest_masks(masks, options.most)) {
    const auto& mask = masks[index];
    ASSERT(mask.rows > 0 && mask.columns > 0 &&
               mask.inside.size() == static_cast<std::size_t>(mask.rows) * static_cast<std::size_t>(mask.columns),
           "a mask has a value for each place");
    for (int y = 0; y < result.height; ++y) {
      std::uint8_t* pixel = result.row(y);
      for (int x = 0; x < result.width; ++x, pixel += 3)
        if (is_inside(mask, (x + 0.5) / result.width, (y + 0.5) / result.height))
          blend(pixel, class_color(index), options.opacity);
    }
  }
  return result;
}

}  // namespace nunchi::draw
