#include "ops/onednn.h"

namespace nunchi::ops {
namespace {

bool has_bf16() {
  static const bool supported = onednn<bool()>("mkldnn::_is_mkldnn_bf16_supported").call();
  return supported;
}

}  // namespace

bool onednn_has(const Tensor& weight) {
  const auto dtype = weight.scalar_type();
  return weight.is_cpu() && (dtype == at::kFloat || (dtype == at::kBFloat16 && has_bf16()));
}

std::optional<OnednnActivation> onednn_activation(Activation activation) {
  switch (activation) {
    case Activation::none:
      return OnednnActivation{"none"};
    case Activation::gelu:
      return OnednnActivation{.name = "gelu", .algorithm = "none"};
    case Activation::gelu_tanh:
      return OnednnActivation{.name = "gelu", .algorithm = "tanh"};
    case Activation::relu:
      return OnednnActivation{"relu"};
    case Activation::relu6:
      return OnednnActivation{.name = "hardtanh", .scalars = OnednnScalars({at::Scalar(0.0), at::Scalar(6.0)})};
    case Activation::silu:
      return OnednnActivation{"swish"};
    case Activation::tanh:
      return OnednnActivation{"tanh"};
    case Activation::sigmoid:
      return OnednnActivation{"sigmoid"};
    case Activation::hard_swish:
      return OnednnActivation{"hardswish"};
    default:
      return std::nullopt;
  }
}

}  // namespace nunchi::ops
