#include "ops/swiglu.h"

namespace nunchi::ops {

Tensor gated(const Tensor& x, Activation gate) {
  const auto halves = x.chunk(2, -1);
  return activate(halves[0], gate) * halves[1];
}

}  // namespace nunchi::ops
