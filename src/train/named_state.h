// train/named_state.h: what a training can be continued from, as named tensors.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ops/tensor.h"

namespace nunchi::train {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

// Copies each tensor of `state` into the one of that name. `owner` is the subject of the message: Error (model) for a
// name that is missing or has another shape.
void copy_state(const NamedTensors& into, const std::map<std::string, Tensor>& state, const std::string& owner);

}  // namespace nunchi::train
