// ops/activation.h: the pointwise nonlinearities that checkpoints name.
//
//   Tensor y = ops::activate(x, ops::activation_from_name("gelu"));   // gelu is the erf form
#pragma once

#include <limits>

#include "ops/activation_kind.h"
#include "ops/tensor.h"

namespace nunchi::ops {

// The names of transformers' ACT2FN and timm. Throws Error (model) for a name that is not among them.
Activation activation_from_name(const std::string& name);

struct Bounds {
  float low = -std::numeric_limits<float>::infinity(), high = std::numeric_limits<float>::infinity();
};

// Of an activation that does nothing but keep numbers within them; nothing for another.
std::optional<Bounds> bounds_of(Activation activation);

// x of any shape and floating dtype -> the same shape and dtype. Differentiable.
Tensor activate(const Tensor& x, Activation activation);

}  // namespace nunchi::ops
