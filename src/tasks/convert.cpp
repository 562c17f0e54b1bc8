#include "tasks/convert.h"

#include <fmt/format.h>

#include "core/file.h"
#include "core/new_folder.h"
#include "tasks/bundled_models.h"
#include "tasks/vision_model.h"
#include "weights/checkpoint.h"

namespace nunchi::tasks {
namespace {

namespace fs = std::filesystem;
using models::Publisher;

std::optional<at::ScalarType> wanted_dtype(const std::string& name) {
  if (name.empty()) return std::nullopt;
  for (const auto& [known, type] : {std::pair{"fp32", at::kFloat}, {"fp16", at::kHalf}, {"bf16", at::kBFloat16}}) {
    if (name == known) return type;
  }
  throw Error(ErrorKind::usage, fmt::format("--dtype {}: not known; known are fp32, fp16 and bf16", name));
}

void write_json(const fs::path& path, const Json& json) { write_file(path, json.dump(2) + "\n"); }

// Files beside the weights that say what the model is.
void copy_descriptions(const fs::path& model, const fs::path& out, const std::string& dtype) {
  for (const std::string name : {"config.json", "preprocessor_config.json", "processor_config.json"}) {
    auto json = read_model_json(model, name);
    if (!json) continue;
    for (const char* field : {"dtype", "torch_dtype"}) {
      if (name == "config.json" && !dtype.empty() && json->contains(field))
        (*json)[field] = dtype == "fp16" ? "float16" : dtype == "bf16" ? "bfloat16" : "float32";
    }
    write_json(out / name, *json);
  }
}

// Needs no architecture: any file of weights becomes safetensors.
void write_same_names(const ModelSource& source, const fs::path& out, const std::optional<at::ScalarType>& dtype) {
  const auto files = open_model_weights(source.path);
  std::vector<Tensor> kept;
  std::vector<formats::TensorView> views;
  for (const auto& name : files.names()) {
    const Tensor plain = weights::tensor_of(files, name);
    kept.push_back((dtype && plain.is_floating_point() ? plain.to(*dtype) : plain).contiguous());
    views.push_back(weights::view_of(name, kept.back()));
  }
  formats::write_safetensors(out / "model.safetensors", std::move(views), {{"format", "pt"}});
  files.check();
}

Json labels_of_transformers(const Json& config, std::int64_t classes) {
  if (config.contains("id2label")) return config["id2label"];
  const auto names = get_or(config, "label_names", std::vector<std::string>{});
  if (static_cast<std::int64_t>(names.size()) != classes) return {};
  Json labels = Json::object();
  for (std::size_t i = 0; i < names.size(); ++i) labels[std::to_string(i)] = names[i];
  return labels;
}

Json label_names_of_timm(const Json& config, std::int64_t classes) {
  if (config.contains("label_names")) return config["label_names"];
  const auto found = config.find("id2label");
  if (found == config.end() || !found->is_object() || static_cast<std::int64_t>(found->size()) != classes) return {};
  Json names = Json::array();
  for (std::int64_t i = 0; i < classes; ++i) names.push_back(found->value(std::to_string(i), ""));
  return names;
}

void describe_for_transformers(const ModelFiles& files, models::Published& published, const fs::path& out) {
  const auto classes = files.built.model->classes();
  if (classes > 0) {
    const auto labels = labels_of_transformers(files.config, classes);
    if (!labels.is_null()) {
      published.config["id2label"] = labels;
      for (const auto& [id, label] : labels.items())
        published.config["label2id"][label.get<std::string>()] = std::stoll(id);
    } else {
      published.config["num_labels"] = classes;
    }
  }
  write_json(out / "config.json", published.config);
  if (files.transform) write_json(out / "preprocessor_config.json", image::preprocessor_config(*files.transform));
}

void describe_for_timm(const ModelFiles& files, models::Published& published, const fs::path& out) {
  const auto classes = files.built.model->classes();
  Json cfg = files.transform ? image::pretrained_cfg(*files.transform) : Json::object();
  cfg["num_classes"] = classes;
  published.config["num_classes"] = classes;
  const auto labels = label_names_of_timm(files.config, classes);
  if (!labels.is_null()) published.config["label_names"] = labels;
  published.config["pretrained_cfg"] = std::move(cfg);
  write_json(out / "config.json", published.config);
}

std::vector<std::string> write_other_names(ModelFiles files, const fs::path& out, Publisher publisher,
                                           at::ScalarType dtype) {
  auto published = models::publish(files.source, *files.built.model, publisher);
  if (publisher == Publisher::transformers)
    describe_for_transformers(files, published, out);
  else
    describe_for_timm(files, published, out);
  auto& model = *files.built.model;
  const weights::Checkpoint checkpoint(std::move(files.weights), std::move(files.built.keys),
                                       std::move(files.replaced_heads));
  checkpoint.load(model);
  weights::write_checkpoint(out / "model.safetensors", model, published.keys, published.prefix, {.dtype = dtype});
  checkpoint.check();
  return published.remarks;
}

}  // namespace

Converted convert(const ModelSource& source, const fs::path& target, const ConvertOptions& options) {
  const auto dtype = wanted_dtype(options.dtype);
  if (source.classes && options.layout == Layout::safetensors) {
    throw Error(ErrorKind::usage,
                "--classes with --as safetensors: the same names are the same tensors; to write a new "
                "head, use --as hf or --as timm");
  }
  NewFolder folder(target, NewFolder::Existing::refused);
  const fs::path& out = folder.path();
  Converted converted;
  if (options.layout == Layout::safetensors) {
    write_same_names(source, out, dtype);
    copy_descriptions(source.path, out, options.dtype);
  } else {
    const auto publisher = options.layout == Layout::timm ? Publisher::timm : Publisher::transformers;
    auto files = open_model_files(source);
    if (files.publisher == publisher && !source.classes) {
      write_same_names(source, out, dtype);
      copy_descriptions(source.path, out, options.dtype);
    } else {
      converted.remarks = write_other_names(std::move(files), out, publisher, dtype.value_or(at::kFloat));
    }
  }
  const auto written = formats::open_weights(out / "model.safetensors");
  converted.tensors = written.names().size();
  converted.bytes = fs::file_size(out / "model.safetensors");
  folder.put_in_place();
  return converted;
}

}  // namespace nunchi::tasks
