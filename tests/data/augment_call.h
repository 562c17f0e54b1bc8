// data/augment_call.h: an operation of data/augment_ops.h by its name and the numbers it takes, for the golden cases of
// tools/check_augment.py.
//
//   Picture result = call_operation("rotate", {30, /* bilinear */ 2, /* fill */ 9, 8, 7}, picture);
#pragma once

#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "data/augment_draw.h"

namespace nunchi::data {

using Numbers = std::vector<double>;

inline std::array<std::uint8_t, 3> fill_at(const Numbers& numbers, std::size_t first) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(numbers.at(first + i)); };
  return {byte(0), byte(1), byte(2)};
}

// The filter and the fill stand at the end.
inline WarpOptions warp_at(const Numbers& numbers, std::size_t first) {
  return {.filter = static_cast<image::Filter>(numbers.at(first)), .fill = fill_at(numbers, first + 1)};
}

inline image::Window window_at(const Numbers& numbers) {
  const auto whole = [&](std::size_t i) { return static_cast<int>(numbers.at(i)); };
  return {whole(0), whole(1), whole(2), whole(3)};
}

inline image::Picture resized_crop(const Numbers& numbers, const image::Picture& picture) {
  const auto part = crop_padded(picture, window_at(numbers), Padding::constant, {});
  return image::resize(part, static_cast<int>(numbers.at(4)), static_cast<int>(numbers.at(5)),
                       {.filter = static_cast<image::Filter>(numbers.at(6)), .box = {}, .window = {}, .isa = {}});
}

// Kind, magnitude, bins, sign.
inline image::Picture rand_augment(const Numbers& numbers, const image::Picture& picture) {
  const auto kind = static_cast<RandAugmentKind>(numbers.at(0));
  const RandAugment options{.magnitude = static_cast<int>(numbers.at(1)), .bins = static_cast<int>(numbers.at(2))};
  const double magnitude = rand_augment_magnitude(kind, options, {picture.width, picture.height});
  return apply({kind, magnitude * numbers.at(3)}, picture, {});
}

inline image::Picture call_operation(const std::string& name, const Numbers& n, const image::Picture& picture) {
  using Operation = std::function<image::Picture(const Numbers&, const image::Picture&)>;
  using P = const image::Picture&;
  using N = const Numbers&;
  static const std::map<std::string, Operation> operations = {
      {"adjust_brightness", [](N v, P p) { return adjust_brightness(p, v.at(0)); }},
      {"adjust_contrast", [](N v, P p) { return adjust_contrast(p, v.at(0)); }},
      {"adjust_saturation", [](N v, P p) { return adjust_saturation(p, v.at(0)); }},
      {"adjust_sharpness", [](N v, P p) { return adjust_sharpness(p, v.at(0)); }},
      {"adjust_hue", [](N v, P p) { return adjust_hue(p, v.at(0)); }},
      {"to_gray", [](N v, P p) { return to_gray(p, static_cast<int>(v.at(0))); }},
      {"posterize", [](N v, P p) { return posterize(p, static_cast<int>(v.at(0))); }},
      {"solarize", [](N v, P p) { return solarize(p, v.at(0)); }},
      {"autocontrast", [](N, P p) { return autocontrast(p); }},
      {"equalize", [](N, P p) { return equalize(p); }},
      {"flip_left_right", [](N, P p) { return flip_left_right(p); }},
      {"flip_top_bottom", [](N, P p) { return flip_top_bottom(p); }},
      {"rotate", [](N v, P p) { return rotate(p, v.at(0), warp_at(v, 1)); }},
      {"shear_x", [](N v, P p) { return shear_x(p, v.at(0), warp_at(v, 1)); }},
      {"shear_y", [](N v, P p) { return shear_y(p, v.at(0), warp_at(v, 1)); }},
      {"translate",
       [](N v, P p) { return translate(p, static_cast<int>(v.at(0)), static_cast<int>(v.at(1)), warp_at(v, 2)); }},
      {"crop_padded",
       [](N v, P p) { return crop_padded(p, window_at(v), static_cast<Padding>(v.at(4)), fill_at(v, 5)); }},
      {"resized_crop", resized_crop},
      {"rand_augment", rand_augment},
  };
  const auto found = operations.find(name);
  if (found == operations.end()) throw std::invalid_argument("no operation is called " + name);
  return found->second(n, picture);
}

}  // namespace nunchi::data
