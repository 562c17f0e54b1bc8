// formats/embedded_weights.h: weights that are part of the program (core/asset.h) instead of a file.
//
//   const WeightFiles weights = embedded_weights(asset("bundled/NAME/model.safetensors"), "NAME");
#pragma once

#include "formats/weight_files.h"

namespace nunchi::formats {

// `bytes` is a safetensors file. Throws Error (model) that begins with `name` where it is none, and Error (input) where
// there is no memory.
WeightFiles embedded_weights(std::string_view bytes, const std::string& name);

}  // namespace nunchi::formats
