// models/timm_arguments.h: reading the arguments of timm's classes, where what is not implemented is refused by name.
//
//   check_arguments(source, {"embed_dim", "depth"}, {{"qk_norm", false}});
//   config.eps = norm_argument(source).eps;
#pragma once

#include "models/registry.h"
#include "nn/norm.h"

namespace nunchi::models {

// An argument that is supported at this value only.
struct FixedArgument {
  std::string_view name;
  Json value;
};

// Throws Error (model) for an argument of Source::config that is neither in `read`, nor for training only, nor in
// `fixed` at its value. An argument that is null counts as left out.
void check_arguments(const Source& source, const std::vector<std::string_view>& read,
                     const std::vector<FixedArgument>& fixed);

// Throws Error (model) that names the argument and what is supported.
[[noreturn]] void refuse_argument(const Source& source, const std::string& argument, std::string_view supported);

// A norm given by its class, LayerNorm with 1e-6 where nothing is said. Throws Error (model) for norms other than
// LayerNorm and RmsNorm.
struct NormArgument {
  nn::NormKind kind = nn::NormKind::layer;
  double eps = 1e-6;
};
NormArgument norm_argument(const Source& source, const std::string& argument = "norm_layer");

// How many `prefix`N.* there are: the tensors' names count the blocks.
std::int64_t count_blocks(const Source& source, const std::string& prefix = "blocks.");

// The side of a square of this area. Throws Error (model) where there is none: a file does not say the sides of a
// rectangle.
std::int64_t side_of_square(std::int64_t area, const std::string& tensor);

}  // namespace nunchi::models
