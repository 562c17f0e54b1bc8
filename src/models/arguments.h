// models/arguments.h: for readers of the arguments that timm's and torchvision's constructors take.
//
//   refuse_further_arguments(arguments, {"depths", "dims"});
//   config.activation = activation_argument(arguments, "act_layer", ops::Activation::gelu);
#pragma once

#include <initializer_list>

#include "core/json.h"
#include "ops/activation.h"
#include "ops/pool.h"

namespace nunchi::models {

// Throws Error (model) for an argument that is neither among `read` nor for training alone: it would change the
// numbers.
void refuse_further_arguments(const Json& arguments, std::initializer_list<std::string_view> read);

// Throws Error (model) where an argument has another value than the only one that is supported.
template <class T>
void require_argument(const Json& arguments, const std::string& name, const T& supported) {
  const auto found = arguments.find(name);
  if (found == arguments.end() || found->is_null() || *found == supported) return;
  throw Error(ErrorKind::model, fmt::format("argument \"{}\": {} is not supported; expected {}", name, found->dump(),
                                            Json(supported).dump()));
}

// An activation as its class (GELU, SiLU) or under its name (gelu).
ops::Activation activation_argument(const Json& arguments, const std::string& name, ops::Activation fallback);

ops::GlobalPool pool_named(std::string name);  // timm's global_pool

// The name of a layer: of {"class": "SEModule", "rd_ratio": 0.25} its class.
std::string layer_name(const Json& layer);

}  // namespace nunchi::models
