#include <fmt/format.h>

#include <cmath>

#include "core/error.h"
#include "image/transform.h"
#include "image/transform_fields.h"

namespace nunchi::image {
namespace {

Filter filter_named(const std::string& name) {
  constexpr std::array<std::pair<const char*, Filter>, 6> names{{{"nearest", Filter::nearest},
                                                                 {"bilinear", Filter::bilinear},
                                                                 {"bicubic", Filter::bicubic},
                                                                 {"box", Filter::box},
                                                                 {"hamming", Filter::hamming},
                                                                 {"lanczos", Filter::lanczos}}};
  for (const auto& [known, filter] : names) {
    if (name == known) return filter;
  }
  throw Error(ErrorKind::model,
              fmt::format("field \"interpolation\": expected nearest, bilinear, bicubic, box, hamming or "
                          "lanczos, found \"{}\"",
                          name));
}

Size input_size(const Json& cfg) {
  const auto sizes = get_or<std::vector<int>>(cfg, "input_size", {3, 224, 224});
  if (sizes.size() == 3 && sizes[0] == 3 && sizes[1] > 0 && sizes[2] > 0) return {sizes[1], sizes[2]};
  throw Error(ErrorKind::model,
              fmt::format("field \"input_size\": expected [3, height, width], found {}", cfg["input_size"].dump()));
}

// timm takes its default for null.
Three numbers_or(const Json& cfg, const std::string& field, const Three& fallback) {
  const auto found = cfg.find(field);
  return found == cfg.end() || found->is_null() ? fallback : three_numbers(cfg, field, fallback);
}

// The size before the crop: crop_pct says how much of it the crop keeps.
Size scale_size(Size size, double crop_pct) {
  return {static_cast<int>(std::floor(size.height / crop_pct)), static_cast<int>(std::floor(size.width / crop_pct))};
}

ResizeMode resize_mode(const std::string& crop_mode, Size scaled) {
  if (crop_mode == "squash") return ResizeMode::exact;
  if (crop_mode == "border") return ResizeMode::contain;
  return scaled.height == scaled.width ? ResizeMode::shortest_edge : ResizeMode::cover;
}

// Borders are as bright as the mean, which the network sees as zero.
std::array<std::uint8_t, 3> border_fill(const Normalize& normalize) {
  std::array<std::uint8_t, 3> fill{};
  for (std::size_t i = 0; i < 3; ++i) fill[i] = static_cast<std::uint8_t>(std::nearbyint(255 * normalize.mean[i]));
  return fill;
}

}  // namespace

Transform transform_from_timm(const Json& pretrained_cfg) {
  const auto nested = pretrained_cfg.find("pretrained_cfg");
  const Json& cfg = nested != pretrained_cfg.end() && nested->is_object() ? *nested : pretrained_cfg;
  constexpr double default_crop_pct = 0.875;
  const double given_pct = get_or(cfg, "crop_pct", default_crop_pct);
  const double crop_pct = given_pct == 0 ? default_crop_pct : given_pct;
  if (!(crop_pct > 0))
    throw Error(ErrorKind::model, fmt::format("field \"crop_pct\": expected a positive number, found {}", crop_pct));
  const auto crop_mode = get_or<std::string>(cfg, "crop_mode", "center");
  const Size size = input_size(cfg);
  const Size scaled = scale_size(size, crop_pct);
  const Normalize normalize{.mean = numbers_or(cfg, "mean", imagenet_mean),
                            .std = numbers_or(cfg, "std", imagenet_std)};
  Transform transform{.source = "timm", .apply_exif_orientation = false};
  transform.resize = {.mode = resize_mode(crop_mode, scaled),
                      .size = scaled,
                      .longest = {},
                      .filter = filter_named(get_or<std::string>(cfg, "interpolation", "bicubic"))};
  transform.crop = CropStep{.size = size, .rounding = CropRounding::half_even};
  if (crop_mode == "border") transform.crop->fill = border_fill(normalize);
  transform.scaling = Scaling::divide;
  transform.factor = 255;
  transform.normalize = normalize;
  return transform;
}

}  // namespace nunchi::image
