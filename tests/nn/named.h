// nn/named.h: a tensor of a module by its full name, for tests.
//
//   named(vit, "blocks.0.attn.proj.weight").zero_();
#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>

#include <stdexcept>

#include "nn/module.h"

namespace nunchi::nn {

inline Slot& slot_named(Module& module, const std::string& name) {
  for (const auto& [other, slot] : module.tensors()) {
    if (other == name) return *slot;
  }
  throw std::out_of_range(name);
}

inline Tensor& named(Module& module, const std::string& name) { return *slot_named(module, name).tensor; }

// Every tensor noise around its usual value, so that nothing (a bias, a layer scale) can be forgotten unseen.
inline void randomise(Module& module, std::uint64_t seed) {
  const at::Generator generator = at::detail::createCPUGenerator(seed);
  for (const auto& [name, slot] : module.tensors()) {
    if (!slot->tensor->is_floating_point())
      *slot->tensor = at::empty(slot->shape, at::kLong).zero_();
    else
      *slot->tensor = at::empty(slot->shape, at::kFloat).normal_(0, 0.2, generator);
    if (name.ends_with("running_var")) slot->tensor->abs_().add_(0.5);
    const std::string layer = name.substr(name.find_last_of('.', name.find_last_of('.') - 1) + 1);  // "norm1.weight"
    if (layer.ends_with("weight") && layer.find("norm") != std::string::npos) slot->tensor->add_(1);
  }
}

}  // namespace nunchi::nn
