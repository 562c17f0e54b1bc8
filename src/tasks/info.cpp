#include "tasks/info.h"

#include <set>

#include "formats/safetensors.h"
#include "image/transform.h"
#include "models/registry.h"
#include "weights/checkpoint.h"
#include "weights/directory.h"

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

void describe_network(ModelInfo& info, models::Model& model) {
  info.parameters = model.parameter_count();
  info.input_shape = model.input_shape();
  info.classes = model.classes();
  info.macs = models::count_macs(model, info.input_shape);
}

}  // namespace

ModelInfo describe_model(const std::filesystem::path& path, const std::string& arch) {
  ModelInfo info;
  auto files = formats::open_weights(path);
  describe_files(info, files);
  models::Built built;
  if (!arch.empty()) {
    built = models::build_preset(arch);
    info.type = arch;
  } else {
    const auto model = weights::open_directory(path);
    info.type = get_or<std::string>(model.config, "model_type", "");
    const auto classes = get_or(model.config, "architectures", std::vector<std::string>{});
    if (!classes.empty()) info.arch_class = classes.front();
    built = models::build({.config = model.config, .keys = files.names()});
    if (model.preprocessor) info.transform = image::describe(image::transform_from_preprocessor_config(*model.preprocessor, model.config));
  }
  describe_network(info, *built.model);
  weights::Checkpoint(std::move(files), std::move(built.keys)).verify(*built.model);
  return info;
}

}  // namespace nunchi::tasks
