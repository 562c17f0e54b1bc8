#include "ops/swiglu.h"

#include <ATen/ops/silu.h>

namespace nunchi::ops {

Tensor swiglu(const Tensor& x) {
  const auto halves = x.chunk(2, -1);
  return at::silu(halves[0]) * halves[1];
}

}  // namespace nunchi::ops
