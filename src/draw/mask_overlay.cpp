#include <algorithm>
#include <numeric>

#include "draw/blend.h"
#include "draw/overlay.h"

namespace nunchi::draw {
namespace {

LabelMap labels_of(const Mask& mask, std::size_t index) {
  LabelMap map{.rows = mask.rows, .columns = mask.columns, .labels = {}};
  for (const bool inside : mask.inside) map.labels.push_back(inside ? static_cast<int>(index) : -1);
  return map;
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
  for (const auto index : largest_masks(masks, options.most))
    result = overlay(result, labels_of(masks[index], index), {.opacity = options.opacity});
  return result;
}

}  // namespace nunchi::draw
