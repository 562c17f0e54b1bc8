// ops/onednn.h: oneDNN's entry points have no C++ name in LibTorch: the dispatcher finds them by their schema.
//
//   static const auto op = onednn<Signature>("mkldnn::_convolution_pointwise");
//   const auto inside = onednn_activation(Activation::relu);
//   op.call(x, packed, bias, inside->name, inside->scalars, inside->algorithm);
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>

#include "ops/activation.h"

namespace nunchi::ops {

template <class Signature>
auto onednn(const char* name, const char* overload = "") {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, overload).typed<Signature>();
}

// Whether oneDNN has packed kernels for weights of this dtype on this processor.
bool onednn_has(const Tensor& weight);

using OnednnScalars = c10::List<std::optional<at::Scalar>>;

// What oneDNN applies while the result is still in registers.
struct OnednnActivation {
  c10::string_view name;
  OnednnScalars scalars = OnednnScalars();
  std::optional<c10::string_view> algorithm = {};
};

// Nothing for an activation that has to follow as an op of its own.
std::optional<OnednnActivation> onednn_activation(Activation activation);

}  // namespace nunchi::ops
