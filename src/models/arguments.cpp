#include "models/arguments.h"

#include <algorithm>
#include <cctype>

namespace nunchi::models {
namespace {

// Dropout, initial values, where tensors are made; img_size is read by those whose size is fixed.
constexpr std::string_view without_effect[] = {"drop_rate",
                                               "drop_path_rate",
                                               "drop_block_rate",
                                               "dropout",
                                               "stochastic_depth_prob",
                                               "zero_init_last",
                                               "zero_init_residual",
                                               "head_init_scale",
                                               "init_weights",
                                               "weight_init",
                                               "device",
                                               "dtype",
                                               "img_size"};

}  // namespace

void refuse_further_arguments(const Json& arguments, std::initializer_list<std::string_view> read) {
  for (const auto& [name, value] : arguments.items()) {
    if (value.is_null() || std::ranges::count(read, name) > 0 || std::ranges::count(without_effect, name) > 0) continue;
    throw Error(ErrorKind::model, fmt::format("argument \"{}\" ({}) is not supported", name, value.dump()));
  }
}

std::string layer_name(const Json& layer) {
  if (layer.is_object()) return get_or<std::string>(layer, "class", "");
  return layer.is_string() ? layer.get<std::string>() : layer.dump();
}

ops::Activation activation_argument(const Json& arguments, const std::string& name, ops::Activation fallback) {
  const auto found = arguments.find(name);
  if (found == arguments.end() || found->is_null()) return fallback;
  auto known = layer_name(*found);
  std::ranges::transform(known, known.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (known == "gelutanh") known = "gelu_tanh";
  return ops::activation_from_name(known);
}

ops::GlobalPool pool_named(std::string name) {
  if (name.starts_with("fast")) name = name == "fast" ? "avg" : name.substr(4);
  if (name == "avg") return ops::GlobalPool::average;
  if (name == "max") return ops::GlobalPool::max;
  if (name == "avgmax") return ops::GlobalPool::average_and_max;
  if (name == "catavgmax") return ops::GlobalPool::both;
  throw Error(ErrorKind::model,
              fmt::format("global_pool \"{}\" is not supported; expected avg, max, avgmax or catavgmax", name));
}

}  // namespace nunchi::models
