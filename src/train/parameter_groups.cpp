#include "train/parameter_groups.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace nunchi::train {
namespace {

bool belongs_to(const std::string& name, const std::string& head) {
  return name == head || name.starts_with(head + ".");  // "head" is no part of "head_dist"
}

bool is_head(const std::string& name, const std::vector<std::string>& heads) {
  return std::ranges::any_of(heads, [&](const auto& head) { return belongs_to(name, head); });
}

// Every family calls its matrices and kernels "weight" and nothing else of more than one axis. Swin v2's network of
// positions stands for a table.
bool decays(const std::string& name, const Tensor& tensor) {
  return tensor.dim() > 1 && name.ends_with("weight") && name.find("cpb_mlp.") == std::string::npos;
}

// A family names all heads that its models may have.
void require_head(const std::vector<nn::Module::Named>& tensors, const std::vector<std::string>& heads) {
  if (heads.empty() || std::ranges::any_of(tensors, [&](const auto& named) { return is_head(named.name, heads); }))
    return;
  throw Error(ErrorKind::usage, fmt::format("the model has no head \"{}\" to train", fmt::join(heads, "\" or \"")));
}

// In the order of the groups: backbone before head, what decays before what does not.
struct Groups {
  explicit Groups(const GroupOptions& options) {
    for (const bool head : {false, true}) {
      for (const bool decay : {true, false}) {
        all.push_back({.name = fmt::format("{}{}", head ? "head" : "backbone", decay ? "" : ", no decay"),
                       .weight_decay = decay ? options.weight_decay : 0,
                       .rate_scale = head ? 1 : options.backbone_rate_scale});
      }
    }
  }
  ParameterGroup& of(bool head, bool decay) { return all[(head ? 2 : 0) + (decay ? 0 : 1)]; }

  std::vector<ParameterGroup> all;
};

}  // namespace

std::vector<ParameterGroup> parameter_groups(nn::Module& model, const GroupOptions& options) {
  const auto tensors = model.tensors();
  require_head(tensors, options.heads);
  Groups groups(options);
  for (const auto& [name, slot] : tensors) {
    if (!slot->trainable) continue;
    const bool head = is_head(name, options.heads), trains = head || !options.freeze_backbone;
    slot->tensor->requires_grad_(trains);
    if (!trains) continue;
    auto& group = groups.of(head, decays(name, *slot->tensor));
    group.names.push_back(name);
    group.parameters.push_back(*slot->tensor);
  }
  std::erase_if(groups.all, [](const auto& group) { return group.names.empty(); });
  if (groups.all.empty()) {
    throw Error(ErrorKind::usage, "nothing is left to train: the backbone is frozen, and the model has no head");
  }
  return std::move(groups.all);
}

void start_training(nn::Module& model, bool freeze_batch_norm) {
  model.train(true);
  model.rest_frozen_parts();
  if (freeze_batch_norm) model.rest_batch_norms();
}

}  // namespace nunchi::train
