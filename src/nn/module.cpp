#include "nn/module.h"

#include <ATen/ops/empty.h>

#include <algorithm>

#include "nn/initialise.h"
#include "ops/linear_int8.h"

namespace nunchi::nn {
namespace {

Tensor shape_only(const Shape& shape, at::ScalarType dtype) {
  return at::empty(shape, at::TensorOptions().device(at::kMeta).dtype(dtype));
}

}  // namespace

at::ScalarType activation_dtype(Precision precision) {
  switch (precision) {
    case Precision::fp32:
      return at::kFloat;
    case Precision::bf16:
      return at::kBFloat16;
    case Precision::int8:
      return ops::int8_activation_dtype();
  }
  ASSERT(false, "every precision has its case");
}

std::vector<Module::Named> Module::tensors() {
  std::vector<Named> all;
  collect("", all);
  return all;
}

void Module::collect(const std::string& prefix, std::vector<Named>& into) {
  for (auto& slot : slots_) into.push_back({prefix + slot.name, &slot});
  for (auto& [name, module] : children_) module->collect(name.empty() ? prefix : prefix + name + ".", into);
}

std::int64_t Module::parameter_count() {
  std::int64_t count = 0;
  for (const auto& [name, slot] : tensors()) {
    if (slot->trainable) count += c10::multiply_integers(slot->shape);
  }
  return count;
}

void Module::train(bool on) {
  training_ = on;
  for (auto& [name, module] : children_) module->train(on);
}

bool Module::is_all_frozen() {
  const auto all = tensors();
  const auto asks = [](const Named& named) { return named.slot->tensor->requires_grad(); };
  const auto is_parameter = [](const Named& named) { return named.slot->trainable; };
  return std::ranges::any_of(all, is_parameter) && std::ranges::none_of(all, asks);
}

void Module::rest_frozen_parts() {
  if (is_all_frozen()) return train(false);
  for (auto& [name, module] : children_) module->rest_frozen_parts();
}

void Module::rest_batch_norms() {
  if (std::ranges::any_of(slots_, [](const Slot& slot) { return slot.name.ends_with("running_var"); }))
    training_ = false;
  for (auto& [name, module] : children_) module->rest_batch_norms();
}

void Module::move_to(at::Device device) {
  for (auto& slot : slots_) *slot.tensor = slot.tensor->to(device);
  for (auto& [name, module] : children_) module->move_to(device);
}

void Module::initialise(const at::Generator& generator) {
  for (auto& slot : slots_) *slot.tensor = truncated_normal(slot.shape, generator);
  for (auto& [name, module] : children_) module->initialise(generator);
}

void Module::freeze(const FreezeOptions& options) {
  for (auto& slot : slots_) cast(slot, options);
  freeze_children(options);
}

void Module::freeze_children(const FreezeOptions& options) {
  for (auto& [name, module] : children_) module->freeze(options);
}

void Module::thaw() {
  for (auto& slot : slots_) {
    if (slot.original.defined()) *slot.tensor = std::exchange(slot.original, Tensor());
  }
  for (auto& [name, module] : children_) module->thaw();
}

void Module::parameter(const std::string& name, Tensor& tensor, Shape shape) {
  tensor = shape_only(shape, at::kFloat);
  slots_.push_back({.name = name, .tensor = &tensor, .shape = std::move(shape), .trainable = true});
}

void Module::buffer(const std::string& name, Tensor& tensor, Shape shape, at::ScalarType dtype) {
  tensor = shape_only(shape, dtype);
  slots_.push_back({.name = name, .tensor = &tensor, .shape = std::move(shape), .trainable = false});
}

void Module::child(const std::string& name, Module& module) { children_.emplace_back(name, &module); }

void Module::fetch(Slot& slot, const FreezeOptions& options) {
  if (std::exchange(slot.released, false)) *slot.tensor = options.read(slot);
}

void Module::cast(Slot& slot, const FreezeOptions& options) {
  const auto dtype = activation_dtype(options.precision);
  Tensor& tensor = *slot.tensor;
  if (!tensor.defined() || !tensor.is_floating_point() || tensor.scalar_type() == dtype) return;
  const Tensor plain = std::exchange(tensor, tensor.detach().to(dtype));
  if (slot.in_file) {
    slot.released = true;
    options.on_release(plain);
  } else {
    slot.original = plain;
  }
}

void Module::release(Slot& slot, const FreezeOptions& options) {
  if (!slot.in_file) return;
  slot.released = true;
  options.on_release(std::exchange(*slot.tensor, Tensor()));
}

Slot& Module::slot_of(const Tensor& tensor) {
  for (auto& slot : slots_) {
    if (slot.tensor == &tensor) return slot;
  }
  ASSERT(false, "only registered tensors have a slot");
}

}  // namespace nunchi::nn
