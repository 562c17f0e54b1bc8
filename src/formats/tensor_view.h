// formats/tensor_view.h: an array in somebody else's memory, whatever format its file has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "formats/dtype.h"

namespace nunchi::formats {

// Row-major, little-endian.
struct TensorView {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<std::int64_t> shape;  // empty: one number
  std::span<const std::byte> bytes;

  std::int64_t count() const;  // of elements
  bool aligned() const;        // old files may not be: copy then, do not read through a float pointer
};

using Metadata = std::map<std::string, std::string>;

}  // namespace nunchi::formats
