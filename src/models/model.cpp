#include "models/model.h"

#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>

#include "ops/count.h"
#include "ops/policy.h"

namespace nunchi::models {

std::int64_t count_macs(Model& model, const Shape& shape) {
  const c10::InferenceMode inference;
  const ops::PolicyScope shapes_only(ops::Policy::reference);  // the fused paths do not run on meta tensors
  const Tensor image =
      at::empty({1, shape[0], shape[1], shape[2]}, at::TensorOptions().device(at::kMeta).dtype(at::kFloat));
  const ops::MacCounter counter;
  model.forward(image);
  return counter.total();
}

}  // namespace nunchi::models
