// models/registry.h: which architectures there are, by the name in config.json and by the presets' names.
//
//   auto built = models::build(config, file_names);   // shapes only
//   weights::Checkpoint checkpoint(std::move(files), built.keys);
//   checkpoint.load(*built.model);
#pragma once

#include <algorithm>
#include <array>
#include <memory>

#include "core/json.h"
#include "models/model.h"
#include "weights/key_table.h"

namespace nunchi::models {

// What a checkpoint says about its model: the fields of config.json and the names of its tensors.
struct Source {
  const Json& config;
  const std::vector<std::string>& keys;

  bool has_key(const std::string& name) const { return std::find(keys.begin(), keys.end(), name) != keys.end(); }
};

struct Built {
  std::unique_ptr<Model> model;
  weights::KeyTable keys;
};

// A model_type of transformers' config.json.
struct Architecture {
  std::string_view model_type, paper, classes;  // classes: those of transformers that are read
  Built (*build)(const Source&);
};
const std::vector<Architecture>& architectures();

// A published size, for building without a checkpoint or from a bare state dict under timm's names (--arch).
struct Preset {
  std::string_view name, paper;
  std::unique_ptr<Model> (*build)();
};
const std::vector<Preset>& presets();

// Throws Error (model) for a model_type that is not there, naming the nearest supported one.
Built build(const Source& source);

// Throws Error (usage) for a name that is not there.
Built build_preset(const std::string& name);

// For readers of config.json: the number of labels (2 where nothing is said, transformers' default), a
// size that is one number or [height, width], and a check that sizes are positive and not absurd.
std::int64_t label_count(const Json& config);
std::array<std::int64_t, 2> pair_or(const Json& config, const std::string& field, std::int64_t fallback);
void check_sizes(const Json& config, const std::vector<std::int64_t>& sizes, std::int64_t largest = 1 << 20);

}  // namespace nunchi::models
