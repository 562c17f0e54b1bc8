// weights/directory.h: a model as its publisher wrote it: a folder with config.json, weights and a picture processor.
//
//   const auto files = weights::open_directory("vit-base-patch16-224");
//   files.config["model_type"];   // "vit"
#pragma once

#include <filesystem>
#include <optional>

#include "core/json.h"

namespace nunchi::weights {

struct ModelFiles {
  std::filesystem::path path;
  Json config;                       // config.json
  std::optional<Json> preprocessor;  // processor_config.json's image_processor, else preprocessor_config.json
};

// Throws Error (model) where the folder is missing, cannot be read, or has no config.json.
ModelFiles open_directory(const std::filesystem::path& path);

}  // namespace nunchi::weights
