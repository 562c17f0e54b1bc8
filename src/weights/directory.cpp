#include "weights/directory.h"

#include <fmt/format.h>

namespace nunchi::weights {
namespace {

void check_folder(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (error && status.type() != std::filesystem::file_type::not_found) {
    throw Error(ErrorKind::model, fmt::format("{}: the folder cannot be read: {}", path.string(), error.message()));
  }
  if (!std::filesystem::exists(status)) {
    throw Error(ErrorKind::model,
                fmt::format("{}: no such model: expected a folder with config.json and model.safetensors, "
                            "or a .safetensors file with --arch",
                            path.string()));
  }
  [[maybe_unused]] const std::filesystem::directory_iterator entries(path, error);
  if (error)
    throw Error(ErrorKind::model, fmt::format("{}: the folder cannot be read: {}", path.string(), error.message()));
  if (!std::filesystem::exists(path / "config.json", error)) {
    throw Error(ErrorKind::model, fmt::format("{}: expected a config.json in this folder, found none; "
                                              "is it a model as transformers writes it?",
                                              path.string()));
  }
}

std::optional<Json> read_preprocessor(const std::filesystem::path& folder) {
  if (std::filesystem::exists(folder / "processor_config.json")) {
    const Json nested = read_json(folder / "processor_config.json");
    if (nested.is_object() && nested.contains("image_processor")) return nested["image_processor"];
  }
  if (!std::filesystem::exists(folder / "preprocessor_config.json")) return std::nullopt;
  return read_json(folder / "preprocessor_config.json");
}

}  // namespace

ModelFiles open_directory(const std::filesystem::path& path) {
  check_folder(path);
  ModelFiles files{.path = path, .config = read_json(path / "config.json"), .preprocessor = read_preprocessor(path)};
  if (!files.config.is_object()) {
    throw Error(ErrorKind::model, fmt::format("{}: expected a JSON object, found {}", (path / "config.json").string(),
                                              files.config.type_name()));
  }
  return files;
}

}  // namespace nunchi::weights
