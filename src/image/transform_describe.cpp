#include <fmt/format.h>

#include <cmath>

#include "core/assert.h"
#include "image/transform.h"

namespace nunchi::image {
namespace {

const char* name_of(Filter filter) {
  switch (filter) {
    case Filter::nearest:
      return "nearest";
    case Filter::lanczos:
      return "lanczos";
    case Filter::bilinear:
      return "bilinear";
    case Filter::bicubic:
      return "bicubic";
    case Filter::box:
      return "box";
    case Filter::hamming:
      return "hamming";
  }
  ASSERT(false, "every filter has a name");
}

std::string text_of(Size size) { return fmt::format("{}x{}", size.height, size.width); }

std::string words(const ResizeStep& step) {
  switch (step.mode) {
    case ResizeMode::none:
      return "";
    case ResizeMode::exact:
      return fmt::format("resize to {}", text_of(step.size));
    case ResizeMode::shortest_edge:
      return fmt::format("shortest side to {}{}", step.size.height,
                         step.longest ? fmt::format(", longest at most {}", *step.longest) : "");
    case ResizeMode::longest_edge:
      return fmt::format("longest side to {}", step.size.height);
    case ResizeMode::fit_inside:
    case ResizeMode::contain:
      return fmt::format("as large as fits into {}", text_of(step.size));
    case ResizeMode::cover:
      return fmt::format("as small as covers {}", text_of(step.size));
  }
  ASSERT(false, "every resize mode has words");
}

std::string resize_line(const Transform& transform) {
  if (transform.resize.mode == ResizeMode::none) return "";
  return fmt::format("{} ({}{})\n", words(transform.resize), name_of(transform.resize.filter),
                     transform.backend == Backend::torchvision ? ", as torchvision" : "");
}

std::string crop_line(const CropStep& crop) {
  const auto& fill = crop.fill;
  const bool black = fill == std::array<std::uint8_t, 3>{0, 0, 0};
  return fmt::format("centre crop {}{}\n", text_of(crop.size),
                     black ? "" : fmt::format(", borders filled with {} {} {}", fill[0], fill[1], fill[2]));
}

// Factors are mostly a reciprocal of a round number.
std::string scaling_line(const Transform& transform) {
  if (transform.scaling == Scaling::none) return "";
  const char* offset = transform.minus_one ? " - 1" : "";
  if (transform.scaling == Scaling::divide) return fmt::format("x / {}{}\n", transform.factor, offset);
  const double divisor = 1.0 / transform.factor;
  const double rounded = static_cast<double>(static_cast<long>(divisor * 100 + 0.5)) / 100;
  if (std::abs(divisor - rounded) < 1e-9) return fmt::format("x / {}{}\n", rounded, offset);
  return fmt::format("x * {}{}\n", transform.factor, offset);
}

std::string normalize_line(const Transform& transform) {
  const auto& [mean, std] = *transform.normalize;
  return fmt::format("(x - mean) / std{}, mean {:.4g} {:.4g} {:.4g}, std {:.4g} {:.4g} {:.4g}\n",
                     transform.divide_by_std_again ? " / std" : "", mean[0], mean[1], mean[2], std[0], std[1], std[2]);
}

}  // namespace

std::string describe(const Transform& transform) {
  const bool scales_first = transform.scale_before_resize;
  std::string text = (scales_first ? scaling_line(transform) : "") + resize_line(transform);
  if (transform.crop) text += crop_line(*transform.crop);
  if (!scales_first) text += scaling_line(transform);
  if (transform.normalize) text += normalize_line(transform);
  if (transform.flip_channels) text += "channels reversed to blue, green, red\n";
  if (transform.pad) text += fmt::format("padded with zeros to {}\n", text_of(*transform.pad));
  if (!text.empty()) text.pop_back();
  return text;
}

}  // namespace nunchi::image
