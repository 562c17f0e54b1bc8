#include "tasks/model_files.h"

#include <fmt/format.h>

#include "weights/directory.h"

namespace nunchi::tasks {
namespace {

namespace fs = std::filesystem;

ModelFiles open_folder(const fs::path& path) {
  auto model = weights::open_directory(path);
  auto files = formats::open_weights(path, Access::sequential);
  auto built = models::build({.config = model.config, .keys = files.names()});
  std::optional<image::Transform> transform;
  if (model.preprocessor) transform = image::transform_from_preprocessor_config(*model.preprocessor, model.config);
  auto type = get_or<std::string>(model.config, "model_type", "");
  return {std::move(type), path, std::move(transform), std::move(model.config), std::move(built), std::move(files)};
}

// Weights alone do not say how they want their pictures; a preprocessor_config.json beside them does.
ModelFiles open_state_dict(const fs::path& path, const std::string& arch) {
  auto built = models::build_preset(arch);
  auto files = formats::open_weights(path, Access::sequential);
  const auto preprocessor = (fs::is_directory(path) ? path : path.parent_path()) / "preprocessor_config.json";
  std::optional<image::Transform> transform;
  if (fs::exists(preprocessor))
    transform = image::transform_from_preprocessor_config(read_json(preprocessor), Json::object());
  return {arch, path, std::move(transform), Json::object(), std::move(built), std::move(files)};
}

void check_is_folder(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return;
  if (path.extension() == ".safetensors") {
    throw Error(ErrorKind::model, fmt::format("{}: a file of weights alone does not say which model it is; "
                                              "name it with --arch, or give the folder with config.json",
                                              path.string()));
  }
  throw Error(ErrorKind::model,
              fmt::format("{}: expected a folder with config.json and model.safetensors, or a .safetensors file "
                          "with --arch, found another file; weights of other formats are to be saved as safetensors",
                          path.string()));
}

}  // namespace

ModelFiles open_model_files(const fs::path& path, const std::string& arch) {
  try {
    if (!arch.empty()) return open_state_dict(path, arch);
    check_is_folder(path);
    return open_folder(path);
  } catch (const Error& error) {  // what is wrong with a field does not know its file
    const std::string what = error.what();
    if (error.kind() != ErrorKind::model || what.find(path.string()) != std::string::npos) throw;
    throw Error(ErrorKind::model, fmt::format("{}: {}", path.string(), what));
  }
}

}  // namespace nunchi::tasks
