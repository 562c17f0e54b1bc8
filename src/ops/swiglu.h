// ops/swiglu.h: the gated unit of feed-forward blocks (Shazeer 2020); SwiGLU where the gate is SiLU.
#pragma once

#include "ops/activation.h"
#include "ops/tensor.h"

namespace nunchi::ops {

// x [..., 2 * hidden] -> gate(first half) * second half, [..., hidden].
Tensor gated(const Tensor& x, Activation gate = Activation::silu);
inline Tensor swiglu(const Tensor& x) { return gated(x); }

}  // namespace nunchi::ops
