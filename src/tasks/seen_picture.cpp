#include "tasks/seen_picture.h"

#include <algorithm>
#include <cmath>

#include "image/resize.h"
#include "image/seen_part.h"

namespace nunchi::tasks {

image::Picture seen_picture(const image::Picture& picture, const image::Transform& transform) {
  const auto part = image::seen_part(transform, {picture.height, picture.width});
  const float width = part.right - part.left, height = part.bottom - part.top;
  const float longer = std::max(width, height), scale = std::clamp(longer, 320.0f, 480.0f) / longer;
  const auto scaled = [&](float length) { return std::max(1, static_cast<int>(std::lround(length * scale))); };
  const image::Box inside = {std::max(part.left, 0.0f), std::max(part.top, 0.0f),
                             std::min(part.right, static_cast<float>(picture.width)),
                             std::min(part.bottom, static_cast<float>(picture.height))};
  auto seen = image::make_picture(scaled(width), scaled(height), picture.channels);
  const int left = std::min(static_cast<int>(std::lround((inside.left - part.left) * scale)), seen.width - 1);
  const int top = std::min(static_cast<int>(std::lround((inside.top - part.top) * scale)), seen.height - 1);
  const auto resized = image::resize(picture, std::min(scaled(inside.right - inside.left), seen.width - left),
                                     std::min(scaled(inside.bottom - inside.top), seen.height - top), {.box = inside});
  std::fill(seen.pixels.begin(), seen.pixels.end(), std::uint8_t{0});
  for (int y = 0; y < resized.height; ++y)
    std::copy_n(resized.row(y), resized.row_bytes(), seen.row(top + y) + left * picture.channels);
  return seen;
}

}  // namespace nunchi::tasks
