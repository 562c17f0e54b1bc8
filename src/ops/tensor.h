// ops/tensor.h: the one tensor header of nunchi, precompiled. LibTorch's umbrella headers cost 12-18 s a file; nothing
// in src/ includes them. A .cpp file adds the <ATen/ops/NAME.h> it calls.
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <c10/util/ArrayRef.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/assert.h"

namespace nunchi {

using at::Tensor;
using Shape = std::vector<std::int64_t>;

std::string to_string(at::IntArrayRef shape);  // "[2, 197, 768]"

}  // namespace nunchi
