// image/transform_fields.h: fields that the publishers' processor files have in common.
//
//   Normalize normalize{.mean = three_numbers(json, "mean", imagenet_mean), ...};
#pragma once

#include <array>
#include <string>

#include "core/json.h"

namespace nunchi::image {

using Three = std::array<double, 3>;

constexpr Three imagenet_mean{0.485, 0.456, 0.406}, imagenet_std{0.229, 0.224, 0.225};
constexpr Three half{0.5, 0.5, 0.5};
constexpr Three clip_mean{0.48145466, 0.4578275, 0.40821073}, clip_std{0.26862954, 0.26130258, 0.27577711};

// A list of three numbers, or one number for all three. Throws Error (model) on anything else.
Three three_numbers(const Json& object, const std::string& field, const Three& fallback);

}  // namespace nunchi::image
