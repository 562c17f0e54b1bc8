// Segments that a network finds by itself beside those that people drew.
#include <fmt/format.h>

#include <algorithm>

#include "cli/features.h"
#include "data/label_mask.h"

namespace nunchi::cli {
namespace {

// The part of the mask that the network sees, in the size of the picture that is drawn.
draw::LabelMap seen_mask(const data::LabelMask& mask, const Gallery::Item& item) {
  draw::LabelMap seen{.rows = item.seen.height, .columns = item.seen.width, .labels = {}};
  const auto between = [](double from, double to, double share) { return from + share * (to - from); };
  for (int row = 0; row < seen.rows; ++row) {
    const double y = between(item.part.top, item.part.bottom, (row + 0.5) / seen.rows);
    for (int column = 0; column < seen.columns; ++column)
      seen.labels.push_back(mask.at(between(item.part.left, item.part.right, (column + 0.5) / seen.columns), y));
  }
  return seen;
}

std::optional<draw::LabelMap> mask_of(const Gallery::Item& item, const std::string& folder) {
  try {
    const auto file = data::label_mask_file(folder, item.file);
    if (file) return seen_mask(data::read_label_mask(*file), item);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    remark(error.what());
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::optional<draw::LabelMap>> masks_of(Gallery& gallery) {
  const auto& folder = gallery.options().masks;
  std::vector<std::optional<draw::LabelMap>> masks(gallery.items().size());
  if (folder.empty()) return masks;
  std::ranges::transform(gallery.items(), masks.begin(), [&](const auto& item) { return mask_of(item, folder); });
  if (std::ranges::none_of(masks, [](const auto& mask) { return mask.has_value(); })) {
    throw Error(ErrorKind::input, fmt::format("--masks {}: expected .png or .bmp files of the pictures' names, found "
                                              "none that can be read",
                                              folder));
  }
  return masks;
}

draw::LabelOptions colors_like(const std::vector<metrics::BestSegment>& best, std::int64_t segments) {
  draw::LabelOptions options;
  auto next = static_cast<std::size_t>(best.empty() ? 0 : best.back().label + 1);
  for (std::int64_t segment = 0; segment < segments; ++segment) {
    const metrics::BestSegment* like = nullptr;
    for (const auto& each : best)
      if (each.segment == segment && (like == nullptr || each.iou > like->iou)) like = &each;
    options.colors.push_back(draw::class_color(like != nullptr ? static_cast<std::size_t>(like->label) : next++));
  }
  return options;
}

Json as_json(const std::vector<metrics::BestSegment>& best) {
  Json labels = Json::array();
  for (const auto& each : best) labels.push_back({{"label", each.label}, {"segment", each.segment}, {"iou", each.iou}});
  return labels;
}

}  // namespace nunchi::cli
