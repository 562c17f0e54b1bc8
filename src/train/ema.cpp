#include "train/ema.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_lerp.h>

namespace nunchi::train {

Ema::Ema(nn::Module& model, double decay) : decay_(decay) {
  for (const auto& [name, slot] : model.tensors())
    entries_.push_back({.name = name, .value = slot->tensor, .average = slot->tensor->detach().clone()});
}

void Ema::update() {
  ASSERT(!swapped_, "the model has its own weights while it trains");
  const at::NoGradGuard no_grad;
  std::vector<Tensor> averages, values;
  for (const auto& [name, value, average] : entries_) {
    if (!average.is_floating_point()) {
      average.copy_(*value);
      continue;
    }
    averages.push_back(average);
    values.push_back(*value);
  }
  at::_foreach_lerp_(averages, values, 1 - decay_);
}

void Ema::swap() {
  for (auto& entry : entries_) std::swap(*entry.value, entry.average);
  swapped_ = !swapped_;
}

NamedTensors Ema::state() const {
  NamedTensors all;
  for (const auto& [name, value, average] : entries_) all.emplace_back(name, swapped_ ? *value : average);
  return all;
}

void Ema::restore(const std::map<std::string, Tensor>& saved) { copy_state(state(), saved, "the moving average"); }

}  // namespace nunchi::train
