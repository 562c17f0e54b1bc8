#include "train/network.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "models/architectures.h"
#include "nn/initialise.h"
#include "tasks/class_mapping.h"
#include "tasks/labels.h"
#include "tasks/model_files.h"
#include "weights/checkpoint.h"

namespace nunchi::train {
namespace {

using models::Publisher;

// --- how pictures come in, in the fields of timm's pretrained_cfg

Json pictures_of_torchvision(const Json& preset) {
  const auto side = [&](const char* field) {
    return preset.at(field).is_array() ? preset.at(field)[0] : preset.at(field);
  };
  const auto crop = side("crop_size").get<double>();
  return {{"crop_pct", crop / side("resize_size").get<double>()},
          {"interpolation", preset.at("interpolation")},
          {"mean", preset.at("mean")},
          {"std", preset.at("std")}};
}

Json pictures_of(const models::NamedArchitecture& named) {
  Json cfg = {{"interpolation", "bilinear"}, {"mean", {0.5, 0.5, 0.5}}, {"std", {0.5, 0.5, 0.5}}};
  if (named.pictures.is_object())
    cfg.update(named.publisher == Publisher::torchvision ? pictures_of_torchvision(named.pictures) : named.pictures);
  return cfg;
}

bool changes_pictures(const AugmentRecipe& augment) {
  return !augment.size.empty() || !augment.interpolation.empty() || !augment.mean.empty() || !augment.std.empty();
}

// Training that crops a part and enlarges it shows things larger than they are: outside training the border is cut off
// then, too. Otherwise the whole picture counts.
image::Transform transform_from(Json cfg, const AugmentRecipe& augment, const Shape& input) {
  const auto height = augment.size.empty() ? static_cast<double>(input[1]) : augment.size[0];
  const auto width = augment.size.empty() ? static_cast<double>(input[2]) : augment.size[1];
  cfg["input_size"] = {3, static_cast<int>(height), static_cast<int>(width)};
  cfg["crop_mode"] = height == width ? "center" : "squash";
  if (augment.crop != "resized" || height != width) cfg["crop_pct"] = 1;
  if (!augment.interpolation.empty()) cfg["interpolation"] = augment.interpolation;
  if (!augment.mean.empty()) cfg["mean"] = augment.mean;
  if (!augment.std.empty()) cfg["std"] = augment.std;
  return image::transform_from_timm(cfg);
}

bool has_one_size(const image::Transform& transform) {
  return transform.crop || transform.pad || transform.resize.mode == image::ResizeMode::exact;
}

image::Transform transform_of(const tasks::ModelFiles& files, const AugmentRecipe& augment) {
  if (!files.transform) {
    throw Error(ErrorKind::model, fmt::format("{}: how this model wants its pictures is not known: expected a "
                                              "preprocessor_config.json, found none",
                                              files.path.string()));
  }
  const auto input = files.built.model->input_shape();
  if (changes_pictures(augment)) return transform_from(image::pretrained_cfg(*files.transform), augment, input);
  if (has_one_size(*files.transform)) return *files.transform;
  return image::with_size(*files.transform, static_cast<int>(input[1]), static_cast<int>(input[2]));
}

// What a library calls stochastic depth, and dropout; empty where its network has none.
struct RegularisationNames {
  std::string drop_path, dropout;
};

RegularisationNames regularisation_names(const models::Source& source) {
  const auto is_one_of = [&](const std::set<std::string>& names) { return names.contains(source.name); };
  const auto if_not = [&](bool lacking, const char* name) { return lacking ? "" : name; };
  switch (source.publisher) {
    case Publisher::timm:
      return {"drop_path_rate", "drop_rate"};
    case Publisher::torchvision:
      return {if_not(!is_one_of({"SwinTransformer", "ConvNeXt"}), "stochastic_depth_prob"),
              if_not(is_one_of({"ConvNeXt", "ResNet"}), "dropout")};
    case Publisher::transformers:
      if (is_one_of({"mobilenet_v2"})) return {"", "classifier_dropout_prob"};
      return {if_not(is_one_of({"resnet"}), "drop_path_rate"),
              if_not(is_one_of({"resnet", "convnext", "convnextv2", "dinov3_vit"}), "hidden_dropout_prob")};
    default:
      return {};
  }
}

// What the recipe gives among the model's arguments counts more.
void add_regularisation(models::Source& source, const Recipe& recipe) {
  const auto set = [&](const char* field, const std::string& name, double value) {
    if (name.empty() && value != 0) {
      throw Error(ErrorKind::usage, fmt::format("regularisation.{}: {} as its publisher wrote it has none; set it to 0",
                                                field, source.name));
    }
    if (!name.empty() && !recipe.model.arguments.contains(name)) source.config[name] = value;
  };
  const auto names = regularisation_names(source);
  set("drop_path", names.drop_path, recipe.regularisation.drop_path);
  set("dropout", names.dropout, recipe.regularisation.dropout);
}

// --- from scratch

Network from_scratch(const Recipe& recipe, std::int64_t classes) {
  const auto named = models::find_architecture(recipe.model.arch);
  Network network{.source = {.publisher = named.publisher,
                             .name = named.family,
                             .config = models::arguments_of(named, named.pictures, recipe.model.arguments),
                             .classes = classes}};
  add_regularisation(network.source, recipe);
  auto built = models::build(network.source);
  network.model = std::move(built.model);
  network.keys = std::move(built.keys);
  network.prefix = network.keys.prefixes.front();
  network.heads = std::move(built.heads);
  network.transform = transform_from(pictures_of(named), recipe.augment, network.model->input_shape());
  if (named.publisher == Publisher::timm)
    network.config = {{"architecture", named.name}, {"model_args", recipe.model.arguments}};
  network.model->initialise(nn::seeded(static_cast<std::uint64_t>(recipe.run.seed)));
  return network;
}

// --- from a checkpoint

bool has_these_classes(const tasks::ModelFiles& files, const std::vector<std::string>& classes) {
  if (!files.replaced_heads.empty() || files.built.model->classes() == 0) return false;
  const auto labels = tasks::labels_of(files.config, files.built.model->classes());
  return tasks::are_unnamed(labels) || std::ranges::equal(labels, classes, tasks::same_label);
}

std::optional<Json> preprocessor_beside(const std::filesystem::path& folder) {
  for (const auto* name : {"preprocessor_config.json", "processor_config.json"})
    if (std::filesystem::exists(folder / name)) return read_json(folder / name);
  return std::nullopt;
}

// Folded into the convolution before it, a batch norm is left with a mean of 0.
bool has_folded_batch_norms(nn::Module& model) {
  std::int64_t norms = 0;
  for (const auto& [name, slot] : model.tensors()) {
    if (!name.ends_with("running_mean")) continue;
    if (slot->tensor->any().item<bool>()) return false;
    ++norms;
  }
  return norms > 0;
}

Network from_checkpoint(const Recipe& recipe, const std::vector<std::string>& classes) {
  if (!recipe.model.arguments.empty())
    throw Error(ErrorKind::usage, "model.arguments: a checkpoint has its own; leave them out, or train from scratch");
  const auto count = static_cast<std::int64_t>(classes.size());
  auto files = tasks::open_model_files({.path = recipe.model.checkpoint, .arch = recipe.model.arch, .classes = count});
  Network network;
  const bool keeps_head = has_these_classes(files, classes);
  add_regularisation(files.source, recipe);
  files.source.classes = count;
  files.built = models::build(files.source);
  files.built.keys.architecture = recipe.model.arch;
  network.transform = transform_of(files, recipe.augment);
  if (!changes_pictures(recipe.augment)) network.preprocessor = preprocessor_beside(files.path);
  const auto replaced = keeps_head ? std::vector<std::string>() : files.built.heads;
  network.model = std::move(files.built.model);
  network.heads = std::move(files.built.heads);
  network.source = std::move(files.source);
  network.config = std::move(files.config);
  const weights::Checkpoint checkpoint(std::move(files.weights), std::move(files.built.keys), replaced);
  network.keys = checkpoint.table();
  network.prefix = checkpoint.prefix();
  checkpoint.load(*network.model, static_cast<std::uint64_t>(recipe.run.seed));
  weights::thaw(*network.model, &checkpoint);
  if (!replaced.empty())
    network.remarks.push_back(fmt::format("a new head ({}) for {} classes", fmt::join(replaced, ", "), count));
  const auto& m = recipe.model;
  if (!m.freeze_batch_norm && !m.freeze_backbone && has_folded_batch_norms(*network.model)) {
    network.remarks.emplace_back(
        "the checkpoint's batch norms were folded into its convolutions (every running mean is 0): statistics of a "
        "batch would undo what it learned; set model.freeze_batch_norm=true");
  }
  return network;
}

}  // namespace

std::array<std::int64_t, 3> Network::shape() const {
  const auto size = transform.crop ? transform.crop->size : transform.pad ? *transform.pad : transform.resize.size;
  return {model->input_shape()[0], size.height, size.width};
}

Network make_network(const Recipe& recipe, const std::vector<std::string>& classes) {
  if (recipe.model.checkpoint.empty()) return from_scratch(recipe, static_cast<std::int64_t>(classes.size()));
  return from_checkpoint(recipe, classes);
}

}  // namespace nunchi::train
