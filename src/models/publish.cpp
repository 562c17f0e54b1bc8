#include "models/publish.h"

#include <cmath>

namespace nunchi::models {
namespace {

struct ActivationNames {
  ops::Activation activation;
  const char *transformers, *timm;
};

constexpr ActivationNames activation_names[] = {
    {ops::Activation::gelu, "gelu", "gelu"},       {ops::Activation::gelu_tanh, "gelu_pytorch_tanh", "gelu_tanh"},
    {ops::Activation::relu, "relu", "relu"},       {ops::Activation::quick_gelu, "quick_gelu", "quick_gelu"},
    {ops::Activation::relu6, "relu6", "relu6"},    {ops::Activation::silu, "silu", "silu"},
    {ops::Activation::tanh, "tanh", "tanh"},       {ops::Activation::sigmoid, "sigmoid", "sigmoid"},
    {ops::Activation::mish, "mish", "mish"},       {ops::Activation::leaky_relu, "leaky_relu", "leaky_relu"},
    {ops::Activation::elu, "elu", "elu"},          {ops::Activation::hard_swish, "hardswish", "hard_swish"},
    {ops::Activation::none, "linear", "identity"},
};

const ActivationNames& names_of(ops::Activation activation) {
  for (const auto& names : activation_names) {
    if (names.activation == activation) return names;
  }
  ASSERT(false, "every activation has its names");
}

}  // namespace

void PublishCheck::operator()(bool expressible, const std::string& what) const {
  if (expressible) return;
  throw Error(
      ErrorKind::usage,
      fmt::format("{} cannot express what this model has: {}; --as safetensors keeps it as it is", target_, what));
}

Json one_or_two(const std::array<std::int64_t, 2>& pair) { return pair[0] == pair[1] ? Json(pair[0]) : Json(pair); }

std::string transformers_name(ops::Activation activation) { return names_of(activation).transformers; }

std::string timm_name(ops::Activation activation) { return names_of(activation).timm; }

double exact_ratio(std::int64_t hidden, std::int64_t dim) {
  double ratio = static_cast<double>(hidden) / static_cast<double>(dim);
  while (static_cast<std::int64_t>(static_cast<double>(dim) * ratio) < hidden) ratio = std::nextafter(ratio, 1e9);
  return ratio;
}

}  // namespace nunchi::models
