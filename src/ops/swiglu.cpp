#include "ops/swiglu.h"

#include "ops/op_scope.h"
#include "ops/relevance.h"

namespace nunchi::ops {

Tensor gated(const Tensor& x, Activation gate) {
  const OpScope scope("gated", {&x});
  const auto halves = x.chunk(2, -1);
  return scope.result(held(activate(halves[0], gate)) * halves[1]);
}

}  // namespace nunchi::ops
