// ops/swiglu.h: the gated unit of SwiGLU feed-forward blocks (Shazeer 2020).
#pragma once

#include "ops/tensor.h"

namespace nunchi::ops {

// x [..., 2 * hidden] -> silu(first half) * second half, [..., hidden].
Tensor swiglu(const Tensor& x);

}  // namespace nunchi::ops
