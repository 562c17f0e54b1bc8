#include "tasks/info.h"

#include <ATen/Parallel.h>

#include <set>

#include "weights/checkpoint.h"

namespace nunchi::tasks {
namespace {

void describe_files(ModelInfo& info, const formats::WeightFiles& files) {
  std::set<std::string> dtypes;
  for (const auto& name : files.names()) {
    const auto* view = files.find(name);
    dtypes.emplace(formats::dtype_name(view->dtype));
    info.weight_bytes += view->bytes.size();
    ++info.tensors;
  }
  for (const auto& dtype : dtypes) info.weight_dtypes += (info.weight_dtypes.empty() ? "" : ", ") + dtype;
  info.files = files.files().size();
}

// Keeps LibTorch to the calling thread: a team of threads would not follow into the processes that `bench` and
// `compare` fork afterwards, which would wait for it for ever.
class OneThread {
 public:
  OneThread() { at::set_num_threads(1); }
  ~OneThread() { at::set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_ = at::get_num_threads();
};

void describe_network(ModelInfo& info, models::Model& model) {
  info.parameters = model.parameter_count();
  info.input_shape = model.input_shape();
  info.classes = model.classes();
  info.macs = models::count_macs(model, info.input_shape);
}

}  // namespace

ModelInfo describe_model(const ModelSource& source) {
  const OneThread alone;
  auto model = open_model_files(source);
  ModelInfo info;
  info.type = model.type;
  const auto classes = get_or(model.config, "architectures", std::vector<std::string>{});
  if (!classes.empty()) info.arch_class = classes.front();
  if (model.transform) info.transform = image::describe(*model.transform);
  describe_files(info, model.weights);
  describe_network(info, *model.built.model);
  weights::Checkpoint(std::move(model.weights), std::move(model.built.keys), std::move(model.replaced_heads))
      .verify(*model.built.model);
  return info;
}

}  // namespace nunchi::tasks
