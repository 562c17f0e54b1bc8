#include "ops/linear_training.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/matmul.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/csrc/autograd/custom_function.h>

#include "ops/weight_gradient.h"

namespace nunchi::ops {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t least_products = 1 << 16;  // below, the calls cost more than the work

Tensor rows_of(const Tensor& t) { return t.reshape({-1, t.size(-1)}); }

std::optional<Tensor> if_defined(const Tensor& t) { return t.defined() ? std::optional(t) : std::nullopt; }

// x W^T + b + residual; W in any strides. oneDNN's entry points have no C++ name in LibTorch.
Tensor product(const Tensor& x, const Tensor& weight, const std::optional<Tensor>& bias = {},
               const std::optional<Tensor>& residual = {}) {
  using Unary = Tensor(const Tensor&, const Tensor&, const std::optional<Tensor>&, c10::string_view,
                       c10::List<std::optional<at::Scalar>>, std::optional<c10::string_view>);
  using Binary = Tensor(const Tensor&, const Tensor&, const Tensor&, const std::optional<Tensor>&, c10::string_view);
  auto& dispatcher = c10::Dispatcher::singleton();
  static const auto plain = dispatcher.findSchemaOrThrow("mkldnn::_linear_pointwise", "").typed<Unary>();
  static const auto adding = dispatcher.findSchemaOrThrow("mkldnn::_linear_pointwise", "binary").typed<Binary>();
  static const c10::List<std::optional<at::Scalar>> no_scalars;
  if (residual) return adding.call(x, residual->contiguous(), weight, bias, "add");
  return plain.call(x, weight, bias, "none", no_scalars, std::nullopt);
}

struct Linear : torch::autograd::Function<Linear> {
  enum Input { of_x, of_weight, of_bias, of_residual };

  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight,
                        const std::optional<Tensor>& bias, const std::optional<Tensor>& residual) {
    context->save_for_backward({x, weight});
    context->saved_data["bias"] = bias.has_value();
    context->saved_data["residual"] = residual.has_value();
    return product(x, weight, bias, residual);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], &dy = gradients[0];
    variable_list result(4);
    if (needs(context, of_residual)) result[of_residual] = dy;
    if (at::GradMode::is_enabled()) {  // of gradients, which oneDNN's have none
      result[of_x] = dy.matmul(weight);
      result[of_weight] = rows_of(dy).t().matmul(rows_of(x));
      if (needs(context, of_bias)) result[of_bias] = rows_of(dy).sum(0);
      return result;
    }
    const Tensor rows = rows_of(dy).contiguous();
    if (needs(context, of_x)) result[of_x] = product(rows, weight.t()).view(x.sizes());
    if (!needs(context, of_weight) && !needs(context, of_bias)) return result;
    auto [of_w, of_b] = weight_gradient(rows, rows_of(x).contiguous());
    result[of_weight] = std::move(of_w);
    if (needs(context, of_bias)) result[of_bias] = std::move(of_b);
    return result;
  }

 private:
  // LibTorch counts only the inputs that are there.
  static bool needs(AutogradContext* context, Input input) {
    const bool has_bias = context->saved_data["bias"].toBool(), has_residual = context->saved_data["residual"].toBool();
    if ((input == of_bias && !has_bias) || (input == of_residual && !has_residual)) return false;
    return context->needs_input_grad(input == of_residual && !has_bias ? of_bias : input);
  }
};

// ATen/autocast_mode.h would ask the same, at the price of every operator's header.
bool autocasts() { return !c10::impl::tls_is_dispatch_key_excluded(c10::DispatchKey::AutocastCPU); }

}  // namespace

const char* linear_training_obstacle(const Tensor& x, const Tensor& weight) {
  if (!x.is_cpu()) return "the input is not on the CPU";
  if (x.scalar_type() != at::kFloat || weight.scalar_type() != at::kFloat) return "input or weight is not fp32";
  if (autocasts()) return "autocast chooses the dtype";
  if (x.numel() * weight.size(0) < least_products) return "there is too little to multiply";
  return "";
}

Tensor linear_training(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& residual) {
  if (!at::GradMode::is_enabled()) return product(x, weight, if_defined(bias), if_defined(residual));
  return Linear::apply(x, weight, if_defined(bias), if_defined(residual));
}

}  // namespace nunchi::ops
