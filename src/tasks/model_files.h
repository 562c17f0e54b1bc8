// tasks/model_files.h: the files of a checkpoint and the network that they describe, still without its weights.
//
//   auto files = tasks::open_model_files("vit-base-patch16-224", "");
//   files.type;           // "vit"
//   files.built.model;    // shapes only
#pragma once

#include <filesystem>

#include "core/json.h"
#include "formats/safetensors.h"
#include "image/transform.h"
#include "models/registry.h"

namespace nunchi::tasks {

struct ModelFiles {
  std::string type;  // model_type, or the preset's name
  std::filesystem::path path;
  std::optional<image::Transform> transform;  // nothing where the folder does not say
  Json config = Json::object();               // empty with `arch`
  models::Built built;
  formats::WeightFiles weights;
};

// `path` is a folder as transformers writes it; with `arch`, a preset's name, a .safetensors file or a folder that
// holds one. Throws Error (model) that names the folder or the file, Error (usage) for an unknown `arch`.
ModelFiles open_model_files(const std::filesystem::path& path, const std::string& arch);

}  // namespace nunchi::tasks
