// ops/activation_kind.h: the names of the activations (ops/activation.h), for kernels too.
#pragma once

namespace nunchi::ops {

// gelu is the erf form (Hendrycks and Gimpel 2016), gelu_tanh its tanh approximation, quick_gelu x * sigmoid(1.702 x).
enum class Activation {
  none,
  gelu,
  gelu_tanh,
  quick_gelu,
  relu,
  relu6,
  silu,
  tanh,
  sigmoid,
  hard_swish,
  elu,
  leaky_relu,
  mish
};

}  // namespace nunchi::ops
