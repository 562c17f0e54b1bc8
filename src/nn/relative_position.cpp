#include "nn/relative_position.h"

#include <ATen/ops/arange.h>

namespace nunchi::nn {

Tensor relative_position_index(Grid window) {
  const Tensor tokens = at::arange(window[0] * window[1], at::kLong);
  const auto ways = [](const Tensor& at) { return at.unsqueeze(1) - at.unsqueeze(0); };  // [n, n]
  const Tensor down = ways(tokens.floor_divide(window[1])) + (window[0] - 1);
  const Tensor right = ways(tokens.remainder(window[1])) + (window[1] - 1);
  return down * (2 * window[1] - 1) + right;
}

}  // namespace nunchi::nn
