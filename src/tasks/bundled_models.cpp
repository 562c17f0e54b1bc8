#include "tasks/bundled_models.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/asset.h"
#include "formats/embedded_weights.h"

namespace nunchi::tasks {
namespace {

constexpr std::string_view folder = "bundled/", description = "/config.json";

std::string asset_name(const std::filesystem::path& model, const std::string& file) {
  return fmt::format("{}{}/{}", folder, model.string(), file);
}

}  // namespace

std::vector<std::string> bundled_models() {
  std::vector<std::string> names;
  for (const Asset* file : assets_in(folder)) {
    if (!file->name.ends_with(description)) continue;
    const auto name = file->name.substr(folder.size());
    names.emplace_back(name.substr(0, name.size() - description.size()));
  }
  return names;
}

std::string default_bundled_model() { return bundled_models().front(); }

bool is_bundled(const std::filesystem::path& model) {
  std::error_code error;
  return !model.empty() && has_asset(asset_name(model, "config.json")) && !std::filesystem::exists(model, error);
}

std::optional<std::string_view> bundled_file(const std::filesystem::path& model, const std::string& file) {
  const auto name = asset_name(model, file);
  return has_asset(name) ? std::optional(asset(name)) : std::nullopt;
}

weights::ModelFiles bundled_directory(const std::filesystem::path& model) {
  return {.path = model,
          .config = read_model_json(model, "config.json").value(),
          .preprocessor = read_model_json(model, "preprocessor_config.json")};
}

formats::WeightFiles open_model_weights(const std::filesystem::path& model) {
  if (!is_bundled(model)) return formats::open_weights(model, Access::sequential);
  return formats::embedded_weights(asset(asset_name(model, "model.safetensors")), model.string());
}

std::optional<Json> read_model_json(const std::filesystem::path& model, const std::string& file) {
  if (is_bundled(model)) {
    const auto text = bundled_file(model, file);
    return text ? std::optional(parse_json(*text, (model / file).string())) : std::nullopt;
  }
  if (!std::filesystem::is_directory(model) || !std::filesystem::exists(model / file)) return std::nullopt;
  return read_json(model / file);
}

}  // namespace nunchi::tasks
