// tasks/bundled_models.h: models that are part of the program: the folders of assets/bundled, which hold what any
// folder of a model holds, with the weights in model.safetensors.
//
//   for (const auto& name : bundled_models()) ...              // "nunchi-vit-cifar10"
//   VisionModel model({.path = default_bundled_model()});      // found by its name like any other
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/weight_files.h"
#include "weights/directory.h"

namespace nunchi::tasks {

std::vector<std::string> bundled_models();  // sorted

// The one that is used where no model is named.
std::string default_bundled_model();

// Whether a MODEL names one. What exists as a file or folder is that, whatever its name.
bool is_bundled(const std::filesystem::path& model);

// One of its files; nothing where it has none of this name.
std::optional<std::string_view> bundled_file(const std::filesystem::path& model, const std::string& file);

weights::ModelFiles bundled_directory(const std::filesystem::path& model);

// Of any MODEL, bundled or not: its weights, and one of its JSON files where it is there.
formats::WeightFiles open_model_weights(const std::filesystem::path& model);
std::optional<Json> read_model_json(const std::filesystem::path& model, const std::string& file);

}  // namespace nunchi::tasks
