#include "nn/watch.h"

namespace nunchi::nn {

constinit thread_local const Watch* detail::watching = nullptr;

Watch::Watch(Module& model, Look look) : look_(std::move(look)), previous_(detail::watching) {
  for (const auto& [name, layer] : model.layers()) names_.emplace(layer, name);
  detail::watching = this;
}

Watch::~Watch() { detail::watching = previous_; }

Tensor Watch::show(const Module& layer, const Tensor& y) const {
  const auto name = names_.find(&layer);
  return name == names_.end() ? y : look_(name->second, y);
}

Tensor Module::show(const Tensor& y) const { return detail::watching->show(*this, y); }

std::vector<Module::NamedLayer> Module::layers() {
  std::vector<NamedLayer> all;
  collect_layers("", all);
  return all;
}

// A child without a name of its own, or with one that it shares, is told by its first tensor ("conv1" of conv1.weight).
std::string Module::layer_name(const std::string& name) const {
  const auto first = slots_.empty() ? std::string::npos : slots_.front().name.rfind('.');
  if (first == std::string::npos) return name;
  const auto inner = slots_.front().name.substr(0, first);
  return name.empty() ? inner : name + "." + inner;
}

void Module::collect_layers(const std::string& prefix, std::vector<NamedLayer>& into) {
  std::unordered_map<std::string, int> uses;
  for (const auto& [name, module] : children_) ++uses[name];
  for (const auto& [name, module] : children_) {
    const bool is_told = !name.empty() && uses[name] == 1;
    const auto own = is_told ? name : module->layer_name(name);
    if (!own.empty()) into.push_back({prefix + own, module});
    module->collect_layers(name.empty() ? prefix : prefix + name + ".", into);
  }
}

}  // namespace nunchi::nn
