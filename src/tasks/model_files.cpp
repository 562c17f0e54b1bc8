#include "tasks/model_files.h"

#include <fmt/format.h>

#include "models/architectures.h"
#include "remote/hub.h"
#include "tasks/bundled_models.h"
#include "weights/directory.h"
#include "weights/int8_storage.h"

namespace nunchi::tasks {
namespace {

namespace fs = std::filesystem;
using models::Publisher;

std::map<std::string, Shape> shapes_of(const formats::WeightFiles& files) {
  std::map<std::string, Shape> shapes;
  for (const auto& name : files.names()) shapes[name] = files.find(name)->shape;
  return shapes;
}

ModelFiles build(models::Source source, formats::WeightFiles weights, const ModelSource& from) {
  auto built = models::build(source);
  std::vector<std::string> replaced;
  if (from.classes && *from.classes != built.model->classes()) {
    source.classes = from.classes;
    built = models::build(source);
    replaced = built.heads;
  }
  const auto publisher = source.publisher;
  const std::string type = source.name;
  ModelFiles files{.publisher = publisher,
                   .type = type,
                   .path = from.path,
                   .transform = {},
                   .source = std::move(source),
                   .built = std::move(built),
                   .replaced_heads = std::move(replaced),
                   .weights = std::move(weights)};
  files.built.keys.architecture = from.arch;
  return files;
}

// timm's config.json: pretrained_cfg beside the architecture, or its fields at the top (before timm 0.9).
Json pretrained_cfg(const Json& config) {
  const auto nested = config.find("pretrained_cfg");
  Json cfg = nested != config.end() && nested->is_object() ? *nested : config;
  if (config.contains("num_classes")) cfg["num_classes"] = config["num_classes"];
  return cfg;
}

ModelFiles open_timm(const ModelSource& from, Json config, formats::WeightFiles weights) {
  const Json cfg = pretrained_cfg(config);
  const auto name = get_or<std::string>(config, "architecture", "");
  auto shapes = shapes_of(weights);
  const auto named = models::find_architecture("timm/" + name, shapes);
  auto files = build({.publisher = Publisher::timm,
                      .name = named.family,
                      .config = models::arguments_of(named, cfg, config.value("model_args", Json::object())),
                      .shapes = std::move(shapes)},
                     std::move(weights), from);
  files.type = named.name;
  files.transform = image::transform_from_timm(cfg);
  files.config = std::move(config);
  return files;
}

ModelFiles open_transformers(const ModelSource& from, weights::ModelFiles model, formats::WeightFiles weights) {
  auto shapes = shapes_of(weights);
  auto files = build({.publisher = Publisher::transformers,
                      .name = get_or<std::string>(model.config, "model_type", ""),
                      .config = model.config,
                      .shapes = std::move(shapes)},
                     std::move(weights), from);
  if (model.preprocessor)
    files.transform = image::transform_from_preprocessor_config(*model.preprocessor, model.config);
  files.config = std::move(model.config);
  return files;
}

ModelFiles open_folder(const ModelSource& from) {
  auto model = is_bundled(from.path) ? bundled_directory(from.path) : weights::open_directory(from.path);
  auto weights = open_model_weights(from.path);
  weights::check_quantisation(model.config);
  const bool is_timm = !model.config.contains("model_type") && model.config.contains("architecture");
  if (is_timm) return open_timm(from, std::move(model.config), std::move(weights));
  return open_transformers(from, std::move(model), std::move(weights));
}

std::optional<image::Transform> transform_of(const models::NamedArchitecture& named, const fs::path& path) {
  const auto preprocessor = (fs::is_directory(path) ? path : path.parent_path()) / "preprocessor_config.json";
  if (fs::exists(preprocessor))
    return image::transform_from_preprocessor_config(read_json(preprocessor), Json::object());
  if (named.pictures.is_null()) return std::nullopt;
  return named.publisher == Publisher::torchvision ? image::transform_from_torchvision(named.pictures)
                                                   : image::transform_from_timm(named.pictures);
}

// Weights alone: the name says the structure and the pictures, the tensors' shapes say the sizes.
ModelFiles open_state_dict(const ModelSource& from) {
  auto weights = formats::open_weights(from.path, Access::sequential);
  auto shapes = shapes_of(weights);
  const auto named = models::find_architecture(from.arch, shapes);
  auto files = build({.publisher = named.publisher,
                      .name = named.family,
                      .config = models::arguments_of(named, named.pictures),
                      .shapes = std::move(shapes),
                      .sizes_from_shapes = true},
                     std::move(weights), from);
  files.type = named.name;
  files.transform = transform_of(named, from.path);
  return files;
}

void check_is_folder(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return;
  throw Error(ErrorKind::model,
              fmt::format("{}: a file of weights alone does not say which model it is; name it with --arch "
                          "(`nunchi models` lists the names), or give the folder with config.json",
                          path.string()));
}

}  // namespace

ModelFiles open_model_files(const ModelSource& named) {
  ModelSource source = named;
  if (!is_bundled(named.path)) source.path = remote::resolve_model_path(named.path);
  try {
    if (!source.arch.empty()) return open_state_dict(source);
    check_is_folder(source.path);
    return open_folder(source);
  } catch (const Error& error) {  // what is wrong with a field does not know its file
    const std::string what = error.what(), path = source.path.string();
    if (error.kind() != ErrorKind::model || what.find(path) != std::string::npos) throw;
    throw Error(ErrorKind::model, fmt::format("{}: {}", path, what));
  }
}

}  // namespace nunchi::tasks
