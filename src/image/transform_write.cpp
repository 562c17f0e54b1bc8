// A Transform back in the words of a publisher's files.
#include <fmt/format.h>

#include <cmath>

#include "core/error.h"
#include "image/transform.h"

namespace nunchi::image {
namespace {

[[noreturn]] void refuse(const Transform& transform, std::string_view publisher) {
  throw Error(ErrorKind::usage, fmt::format("{}'s files cannot say how this model wants its pictures:\n{}", publisher,
                                            describe(transform)));
}

bool is_plain(const Transform& t) {
  return t.scaling != Scaling::none && !t.minus_one && !t.divide_by_std_again && !t.flip_channels && !t.pad &&
         t.resize.mode != ResizeMode::none && !t.resize.longest;
}

Json size_json(Size size) { return {{"height", size.height}, {"width", size.width}}; }

Json filter_json(Filter filter) {
  constexpr std::array names{"nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"};  // Pillow's codes
  return names.at(static_cast<std::size_t>(filter));
}

double scale_factor(const Transform& t) { return t.scaling == Scaling::divide ? 1 / t.factor : t.factor; }

// The crop_pct of which timm makes `resized` again: it takes floor(size / crop_pct).
double crop_pct(int size, int resized) {
  double pct = static_cast<double>(size) / resized;
  while (static_cast<int>(std::floor(size / pct)) < resized) pct = std::nextafter(pct, 0.0);
  return pct;
}

}  // namespace

Json preprocessor_config(const Transform& t) {
  const bool shortest = t.resize.mode == ResizeMode::shortest_edge, exact = t.resize.mode == ResizeMode::exact;
  if (!is_plain(t) || !(shortest || exact)) refuse(t, "transformers");
  Json json = {{"image_processor_type", t.scale_before_resize ? "DINOv3ViTImageProcessor"
                                        : shortest            ? "BitImageProcessor"
                                        : t.crop              ? "DeiTImageProcessor"
                                                              : "ViTImageProcessor"},
               {"do_resize", true},
               {"size", shortest ? Json{{"shortest_edge", t.resize.size.height}} : size_json(t.resize.size)},
               {"resample", static_cast<int>(t.resize.filter)},
               {"do_center_crop", t.crop.has_value()}};
  if (t.crop) json["crop_size"] = size_json(t.crop->size);
  json["do_rescale"] = true;
  json["rescale_factor"] = scale_factor(t);
  json["do_normalize"] = t.normalize.has_value();
  if (t.normalize) {
    json["image_mean"] = t.normalize->mean;
    json["image_std"] = t.normalize->std;
  }
  return json;
}

Json pretrained_cfg(const Transform& t) {
  const bool squash = t.resize.mode == ResizeMode::exact, center = t.resize.mode == ResizeMode::shortest_edge;
  const bool readable = is_plain(t) && (squash || (center && t.crop && t.crop->size.height == t.crop->size.width)) &&
                        !t.scale_before_resize && std::abs(scale_factor(t) - 1.0 / 255) < 1e-12;
  if (!readable) refuse(t, "timm");
  const Size size = t.crop ? t.crop->size : t.resize.size;
  const Normalize normalize = t.normalize.value_or(Normalize{});
  return {{"input_size", {3, size.height, size.width}},
          {"crop_pct", crop_pct(size.height, t.resize.size.height)},
          {"crop_mode", squash ? "squash" : "center"},
          {"interpolation", filter_json(t.resize.filter)},
          {"mean", normalize.mean},
          {"std", normalize.std}};
}

}  // namespace nunchi::image
