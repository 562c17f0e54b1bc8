#include "models/timm_arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace nunchi::models {
namespace {

bool is_for_training(std::string_view name) {
  return name.ends_with("drop_rate") || name.ends_with("drop_path_rate") || name == "head_init_scale" ||
         name == "weight_init" || name == "fix_init" || name == "device" || name == "dtype";
}

}  // namespace

void refuse_argument(const Source& source, const std::string& argument, std::string_view supported) {
  throw Error(ErrorKind::model,
              fmt::format("timm's {}: argument \"{}\" = {} is not supported; supported is {}", source.name, argument,
                          source.config.value(argument, Json()).dump(), supported));
}

void check_arguments(const Source& source, const std::vector<std::string_view>& read,
                     const std::vector<FixedArgument>& fixed) {
  for (const auto& [name, value] : source.config.items()) {
    if (value.is_null() || is_for_training(name) || std::ranges::count(read, name) > 0) continue;
    const auto found = std::ranges::find(fixed, name, &FixedArgument::name);
    if (found == fixed.end()) refuse_argument(source, name, "a model without it");
    if (found->value != value) refuse_argument(source, name, found->value.is_null() ? "none" : found->value.dump());
  }
}

NormArgument norm_argument(const Source& source, const std::string& argument) {
  const auto found = source.config.find(argument);
  if (found == source.config.end() || found->is_null()) return {};
  const bool with_arguments = found->is_object();
  const Json name = with_arguments ? found->value("class", Json()) : *found;
  if (name != Json("LayerNorm") && name != Json("RmsNorm")) refuse_argument(source, argument, "LayerNorm and RmsNorm");
  return {.kind = name == Json("RmsNorm") ? nn::NormKind::rms : nn::NormKind::layer,
          .eps = with_arguments ? get_or(*found, "eps", 1e-6) : 1e-6};
}

std::int64_t count_blocks(const Source& source, const std::string& prefix) {
  std::int64_t count = 0;
  for (const auto& [name, shape] : source.shapes) {
    std::int64_t index = 0;
    if (name.starts_with(prefix) &&
        std::from_chars(name.data() + prefix.size(), name.data() + name.size(), index).ec == std::errc())
      count = std::max(count, index + 1);
  }
  return count;
}

std::int64_t side_of_square(std::int64_t area, const std::string& tensor) {
  const auto side =
      static_cast<std::int64_t>(std::llround(std::sqrt(static_cast<double>(std::max<std::int64_t>(area, 0)))));
  if (side > 0 && side * side == area) return side;
  throw Error(ErrorKind::model,
              fmt::format("tensor \"{}\": {} positions are not those of a square grid; a folder with config.json says "
                          "the sides of a rectangle",
                          tensor, area));
}

}  // namespace nunchi::models
