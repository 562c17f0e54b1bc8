#include "train/named_state.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

namespace nunchi::train {

void copy_state(const NamedTensors& into, const std::map<std::string, Tensor>& state, const std::string& owner) {
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : into) {
    const auto found = state.find(name);
    if (found == state.end() || found->second.sizes() != tensor.sizes()) {
      throw Error(ErrorKind::model, fmt::format("state of {}: expected \"{}\" of {}, found {}; it belongs to another "
                                                "model or recipe",
                                                owner, name, to_string(tensor.sizes()),
                                                found == state.end() ? "none" : to_string(found->second.sizes())));
    }
    tensor.copy_(found->second);
  }
}

}  // namespace nunchi::train
