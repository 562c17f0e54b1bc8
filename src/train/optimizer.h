// train/optimizer.h: from gradients to new weights.
//
//   auto optimizer = train::make_optimizer({.kind = train::OptimizerKind::adamw}, train::parameter_groups(model, {}));
//   loss.backward();
//   train::clip_gradients(optimizer->groups(), 1.0);
//   optimizer->step(train::learning_rate(schedule, step));
//   optimizer->clear_gradients();
#pragma once

#include <map>
#include <memory>
#include <string>

#include "train/named_state.h"
#include "train/parameter_groups.h"

namespace nunchi::train {

// AdamW: Loshchilov and Hutter 2019, as torch.optim.AdamW; SGD with momentum (Sutskever et al. 2013), as
// torch.optim.SGD, where weight decay is part of the gradient.
enum class OptimizerKind { adamw, sgd };

OptimizerKind optimizer_kind_from_name(const std::string& name);  // throws Error (usage) for another name

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::adamw;
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;  // AdamW
  double momentum = 0.9;                          // SGD
  bool nesterov = false;
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // One step at this rate, times each group's own scale. Parameters without a gradient stay as they are.
  virtual void step(double learning_rate) = 0;
  void clear_gradients();

  // All that a later step depends on beside the weights, under names such as "momentum.blocks.0.attn.qkv.weight". The
  // tensors are those in use: copy what must not change.
  virtual NamedTensors state() = 0;
  // The inverse: copies. Throws Error (model) for a name that is missing or has another shape.
  void restore(const std::map<std::string, Tensor>& state);

  const std::vector<ParameterGroup>& groups() const { return groups_; }

 protected:
  explicit Optimizer(std::vector<ParameterGroup> groups) : groups_(std::move(groups)) {}

 private:
  std::vector<ParameterGroup> groups_;
};

std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, std::vector<ParameterGroup> groups);

// Scales all gradients so that their common length (Pascanu et al. 2013) is at most max_norm, as
// torch.nn.utils.clip_grad_norm_. Returns the length before; where that is not finite, the gradients are left as they
// are. max_norm <= 0 only measures.
double clip_gradients(const std::vector<ParameterGroup>& groups, double max_norm);

}  // namespace nunchi::train
