#include "ops/tensor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace nunchi {

std::string to_string(at::IntArrayRef shape) {
  return fmt::format("[{}]", fmt::join(shape.begin(), shape.end(), ", "));
}

}  // namespace nunchi
