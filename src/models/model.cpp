#include "models/model.h"

#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>

#include "ops/count.h"
#include "ops/policy.h"

namespace nunchi::models {

std::vector<Tensor*> tensors_of(ModelOutput& output) {
  std::vector<Tensor*> all = {&output.logits, &output.last_hidden_state, &output.pooler_output};
  for (auto* list : {&output.hidden_states, &output.feature_maps, &output.attentions}) {
    for (Tensor& tensor : *list) all.push_back(&tensor);
  }
  for (auto& [name, tensor] : output.further) all.push_back(&tensor);
  return all;
}

ModelOutput forward_of_shapes(const Model& model, const Shape& shape, const ForwardOptions& options) {
  const c10::InferenceMode inference;
  const ops::PolicyScope shapes_only(ops::Policy::reference);  // the fused paths do not run on meta tensors
  return model.forward(
      at::empty({1, shape[0], shape[1], shape[2]}, at::TensorOptions().device(at::kMeta).dtype(at::kFloat)), options);
}

std::int64_t count_macs(const Model& model, const Shape& shape) {
  const ops::MacCounter counter;
  forward_of_shapes(model, shape);
  return counter.total();
}

}  // namespace nunchi::models
