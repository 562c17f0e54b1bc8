#include "ops/activation.h"

#include <ATen/ops/elu.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/hardswish.h>
#include <ATen/ops/hardtanh.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/mish.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/tanh.h>
#include <fmt/format.h>

#include <map>

#include "ops/op_scope.h"
#include "ops/relevance.h"

namespace nunchi::ops {

Activation activation_from_name(const std::string& name) {
  static const std::map<std::string, Activation> names = {
      {"linear", Activation::none},
      {"gelu", Activation::gelu},
      {"gelu_python", Activation::gelu},
      {"gelu_new", Activation::gelu_tanh},
      {"gelu_fast", Activation::gelu_tanh},
      {"gelu_pytorch_tanh", Activation::gelu_tanh},
      {"gelu_python_tanh", Activation::gelu_tanh},
      {"gelu_tanh", Activation::gelu_tanh},
      {"quick_gelu", Activation::quick_gelu},
      {"relu", Activation::relu},
      {"relu6", Activation::relu6},
      {"silu", Activation::silu},
      {"swish", Activation::silu},
      {"tanh", Activation::tanh},
      {"sigmoid", Activation::sigmoid},
      {"hard_swish", Activation::hard_swish},
      {"hardswish", Activation::hard_swish},
      {"elu", Activation::elu},
      {"leaky_relu", Activation::leaky_relu},
      {"mish", Activation::mish},
  };
  const auto found = names.find(name);
  if (found == names.end()) {
    std::string known;
    for (const auto& [other, activation] : names) known += (known.empty() ? "" : ", ") + other;
    throw Error(ErrorKind::model, fmt::format("activation \"{}\" is not known; known are {}", name, known));
  }
  return found->second;
}

namespace {

Tensor apply(const Tensor& x, Activation activation) {
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::gelu:
      return at::gelu(x, "none");
    case Activation::gelu_tanh:
      return at::gelu(x, "tanh");
    case Activation::quick_gelu:
      return x * at::sigmoid(1.702 * x);
    case Activation::relu:
      return at::relu(x);
    case Activation::relu6:
      return at::hardtanh(x, 0, 6);
    case Activation::silu:
      return at::silu(x);
    case Activation::tanh:
      return at::tanh(x);
    case Activation::sigmoid:
      return at::sigmoid(x);
    case Activation::hard_swish:
      return at::hardswish(x);
    case Activation::elu:
      return at::elu(x);
    case Activation::leaky_relu:
      return at::leaky_relu(x);
    case Activation::mish:
      return at::mish(x);
  }
  ASSERT(false, "every activation has its case");
}

}  // namespace

std::optional<Bounds> bounds_of(Activation activation) {
  switch (activation) {
    case Activation::none:
      return Bounds{};
    case Activation::relu:
      return Bounds{.low = 0};
    case Activation::relu6:
      return Bounds{.low = 0, .high = 6};
    default:
      return std::nullopt;
  }
}

Tensor activate(const Tensor& x, Activation activation) {
  if (x.is_meta()) return at::empty_like(x);  // shapes alone: LibTorch has not all of these for them
  if (activation == Activation::none) return x;
  const OpScope scope("activate", {&x});
  return scope.result(handed_on(x, apply(x, activation)));
}

}  // namespace nunchi::ops
