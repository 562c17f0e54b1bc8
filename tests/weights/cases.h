// weights/cases.h: the models of the parity cases in tests/golden/cases, for tests that need a real checkpoint.
//
//   const auto loaded = load_case("vit_classifier");
//   loaded.model->forward(random({1, 3, 32, 32}, 1));
#pragma once

#include <filesystem>

#include "models/architectures.h"
#include "weights/checkpoint.h"
#include "weights/directory.h"

namespace nunchi::weights {

struct Loaded {
  std::unique_ptr<models::Model> model;
  KeyTable keys;
  std::unique_ptr<Checkpoint> checkpoint;
};

inline std::filesystem::path case_model(const std::string& name) {
  return std::filesystem::path(NUNCHI_SOURCE_DIR) / "tests/golden/cases" / name / "model";
}

// What the network of a transformers or timm folder is built from, but for the shapes.
inline models::Source source_of(const Json& config) {
  if (config.contains("model_type")) return {.name = config["model_type"], .config = config};
  const auto named = models::find_architecture("timm/" + config["architecture"].get<std::string>());
  return {.publisher = models::Publisher::timm,
          .name = named.family,
          .config = models::arguments_of(named, config["pretrained_cfg"], config["model_args"])};
}

inline Loaded load_model(const std::filesystem::path& folder) {
  auto files = formats::open_weights(folder);
  auto source = source_of(open_directory(folder).config);
  for (const auto& name : files.names()) source.shapes[name] = files.find(name)->shape;
  auto built = models::build(source);
  auto checkpoint = std::make_unique<Checkpoint>(std::move(files), built.keys);
  checkpoint->load(*built.model);
  return {std::move(built.model), std::move(built.keys), std::move(checkpoint)};
}

inline Loaded load_case(const std::string& name) { return load_model(case_model(name)); }

}  // namespace nunchi::weights
