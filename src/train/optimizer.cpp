#include "train/optimizer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/format.h>

#include <cmath>

namespace nunchi::train {
namespace {

// One group's tensors in the columns that LibTorch's fused steps take: of the parameters that have a gradient.
struct Columns {
  std::vector<Tensor> parameters, gradients;
  std::vector<std::size_t> rows;  // of the group
};

Columns columns_of(const ParameterGroup& group) {
  Columns columns;
  for (std::size_t i = 0; i < group.parameters.size(); ++i) {
    const Tensor& parameter = group.parameters[i];
    const Tensor& gradient = parameter.grad();
    if (!gradient.defined()) continue;
    // The fused steps read memory in its order, whatever the axes are.
    const bool alike = gradient.strides() == parameter.strides();
    columns.parameters.push_back(parameter);
    columns.gradients.push_back(alike ? gradient : at::zeros_like(parameter).copy_(gradient));
    columns.rows.push_back(i);
  }
  return columns;
}

std::vector<Tensor> picked(const std::vector<Tensor>& from, const std::vector<std::size_t>& rows) {
  std::vector<Tensor> some;
  for (const auto row : rows) some.push_back(from[row]);
  return some;
}

std::vector<Tensor> zeros_like_each(const std::vector<Tensor>& tensors) {
  std::vector<Tensor> zeros;
  for (const Tensor& tensor : tensors) zeros.push_back(at::zeros_like(tensor));
  return zeros;
}

void append(NamedTensors& all, const std::string& kind, const ParameterGroup& group,
            const std::vector<Tensor>& tensors) {
  for (std::size_t i = 0; i < tensors.size(); ++i) all.emplace_back(kind + "." + group.names[i], tensors[i]);
}

// Calls update(i, columns) for each group i that has a gradient.
template <class Update>
void for_each_group(const std::vector<ParameterGroup>& groups, const Update& update) {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto columns = columns_of(groups[i]);
    if (!columns.rows.empty()) update(i, columns);
  }
}

class AdamW : public Optimizer {
 public:
  AdamW(const OptimizerOptions& options, std::vector<ParameterGroup> groups)
      : Optimizer(std::move(groups)), options_(options) {
    for (const auto& group : this->groups()) {
      moments_.push_back({zeros_like_each(group.parameters), zeros_like_each(group.parameters), {}});
      for (const Tensor& parameter : group.parameters)
        moments_.back().steps.push_back(at::zeros({}, parameter.options().dtype(at::kFloat)));
    }
  }

  void step(double learning_rate) override {
    for_each_group(groups(), [&](std::size_t i, const Columns& columns) {
      const auto& group = groups()[i];
      const auto steps = picked(moments_[i].steps, columns.rows);
      at::_foreach_add_(steps, 1);
      at::_fused_adamw_(columns.parameters, columns.gradients, picked(moments_[i].first, columns.rows),
                        picked(moments_[i].second, columns.rows), /*max_exp_avg_sqs=*/{}, steps,
                        learning_rate * group.rate_scale, options_.beta1, options_.beta2, group.weight_decay,
                        options_.eps, /*amsgrad=*/false, /*maximize=*/false);
    });
  }

  NamedTensors state() override {
    NamedTensors all;
    for (std::size_t i = 0; i < groups().size(); ++i) {
      append(all, "first_moment", groups()[i], moments_[i].first);
      append(all, "second_moment", groups()[i], moments_[i].second);
      append(all, "step", groups()[i], moments_[i].steps);
    }
    return all;
  }

 private:
  struct Moments {
    std::vector<Tensor> first, second, steps;  // steps: [] of each parameter, as LibTorch counts them
  };
  OptimizerOptions options_;
  std::vector<Moments> moments_;
};

// The momentum starts as zero, which is the same as PyTorch's copy of the first gradient.
class Sgd : public Optimizer {
 public:
  Sgd(const OptimizerOptions& options, std::vector<ParameterGroup> groups)
      : Optimizer(std::move(groups)), options_(options) {
    for (const auto& group : this->groups())
      momenta_.push_back(options.momentum == 0 ? std::vector<Tensor>{} : zeros_like_each(group.parameters));
  }

  void step(double learning_rate) override {
    for_each_group(groups(), [&](std::size_t i, const Columns& columns) {
      const auto& group = groups()[i];
      const auto momenta = options_.momentum == 0 ? std::vector<Tensor>{} : picked(momenta_[i], columns.rows);
      at::_fused_sgd_(columns.parameters, columns.gradients, momenta, group.weight_decay, options_.momentum,
                      learning_rate * group.rate_scale, /*dampening=*/0, options_.nesterov, /*maximize=*/false,
                      /*is_first_step=*/false);
    });
  }

  NamedTensors state() override {
    NamedTensors all;
    for (std::size_t i = 0; i < groups().size(); ++i) append(all, "momentum", groups()[i], momenta_[i]);
    return all;
  }

 private:
  OptimizerOptions options_;
  std::vector<std::vector<Tensor>> momenta_;
};

}  // namespace

OptimizerKind optimizer_kind_from_name(const std::string& name) {
  if (name == "adamw") return OptimizerKind::adamw;
  if (name == "sgd") return OptimizerKind::sgd;
  throw Error(ErrorKind::usage, fmt::format("optimizer \"{}\" is not known; known are adamw, sgd", name));
}

void Optimizer::clear_gradients() {
  for (const auto& group : groups()) {
    for (const Tensor& parameter : group.parameters) parameter.mutable_grad() = Tensor();
  }
}

void Optimizer::restore(const std::map<std::string, Tensor>& saved) { copy_state(state(), saved, "the optimizer"); }

std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, std::vector<ParameterGroup> groups) {
  if (options.kind == OptimizerKind::sgd) return std::make_unique<Sgd>(options, std::move(groups));
  return std::make_unique<AdamW>(options, std::move(groups));
}

double clip_gradients(const std::vector<ParameterGroup>& groups, double max_norm) {
  const at::NoGradGuard no_grad;
  std::vector<Tensor> gradients;
  for (const auto& group : groups) {
    for (const Tensor& parameter : group.parameters) {
      if (parameter.grad().defined()) gradients.push_back(parameter.grad());
    }
  }
  if (gradients.empty()) return 0;
  const auto norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients, 2)), 2).item<double>();
  const double factor = max_norm / (norm + 1e-6);
  if (max_norm > 0 && std::isfinite(norm) && factor < 1) at::_foreach_mul_(gradients, factor);
  return norm;
}

}  // namespace nunchi::train
