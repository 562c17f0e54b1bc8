// tasks/model_files.h: the files of a checkpoint and the network that they describe, still without its weights.
//
//   auto files = tasks::open_model_files("vit-base-patch16-224");
//   files.type;           // "vit"
//   files.built.model;    // shapes only
#pragma once

#include <filesystem>

#include "core/json.h"
#include "formats/safetensors.h"
#include "image/transform.h"
#include "models/registry.h"

namespace nunchi::tasks {

struct ModelSource {
  std::filesystem::path path;
  std::string arch = {};                     // [publisher/]name[.checkpoint], for weights without config.json
  std::optional<std::int64_t> classes = {};  // another number than the checkpoint's: a new head; 0: none
  std::string labels = {};                   // instead of the checkpoint's own (tasks/labels.h)
};

struct ModelFiles {
  models::Publisher publisher;
  std::string type;  // model_type, or the architecture's name
  std::filesystem::path path;
  std::optional<image::Transform> transform;  // nothing where the files do not say
  Json config = Json::object();               // config.json; empty with `arch`
  models::Source source;                      // what the network was built from
  models::Built built;
  std::vector<std::string> replaced_heads;  // not to be read from the weights
  formats::WeightFiles weights;
};

// `path` is a folder as transformers or timm writes it; with `arch`, a file of weights or a folder that holds one.
// Throws Error (model) that names the folder or the file, Error (usage) for an unknown `arch`.
ModelFiles open_model_files(const ModelSource& source);

}  // namespace nunchi::tasks
