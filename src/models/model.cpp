#include "models/model.h"

#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>

#include "ops/count.h"
#include "ops/policy.h"

namespace nunchi::models {

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
