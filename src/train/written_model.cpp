#include "train/written_model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/file.h"
#include "core/new_folder.h"
#include "weights/checkpoint.h"

namespace nunchi::train {
namespace {

namespace fs = std::filesystem;
using models::Publisher;

// What stands beside the weights, and under which names these stand.
struct Description {
  std::map<std::string, std::string> files;  // name -> text
  weights::KeyTable keys;
  std::string prefix;

  void add(const std::string& name, const Json& json) { files[name] = json.dump(2) + "\n"; }
};

Json class_fields_of_transformers(const std::vector<std::string>& classes) {
  Json json = Json::object();
  for (std::size_t i = 0; i < classes.size(); ++i) {
    json["id2label"][std::to_string(i)] = classes[i];
    json["label2id"][classes[i]] = i;
  }
  return json;
}

void describe_for_transformers(Description& description, Json config, const Network& network,
                               const std::vector<std::string>& classes) {
  for (const char* field : {"num_labels", "id2label", "label2id"}) config.erase(field);
  for (const char* field : {"dtype", "torch_dtype"})
    if (config.contains(field)) config[field] = "float32";
  config.update(class_fields_of_transformers(classes));
  description.add("config.json", config);
  description.add("preprocessor_config.json", network.preprocessor.value_or(Json()).is_null()
                                                  ? image::preprocessor_config(network.transform)
                                                  : *network.preprocessor);
}

void describe_for_timm(Description& description, Json config, const Network& network,
                       const std::vector<std::string>& classes) {
  Json cfg = config.value("pretrained_cfg", Json::object());
  cfg.update(image::pretrained_cfg(network.transform));
  cfg["num_classes"] = classes.size();
  for (const char* field : {"label_names", "label_descriptions"}) cfg.erase(field), config.erase(field);
  if (config.contains("model_args") && config["model_args"].contains("num_classes"))
    config["model_args"]["num_classes"] = classes.size();
  config["num_classes"] = classes.size();
  config["label_names"] = classes;
  config["pretrained_cfg"] = std::move(cfg);
  description.add("config.json", config);
}

// In another publisher's words than those it was read or built in.
bool published_as(Publisher publisher, Description& description, const Network& network,
                  const std::vector<std::string>& classes) {
  try {
    auto published = models::publish(network.source, *network.model, publisher);
    if (publisher == Publisher::timm)
      describe_for_timm(description, std::move(published.config), network, classes);
    else
      describe_for_transformers(description, std::move(published.config), network, classes);
    description.keys = std::move(published.keys);
    description.prefix = std::move(published.prefix);
    return true;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::usage) throw;
    return false;
  }
}

bool is_classifier(const Json& config) {
  const auto names = get_or(config, "architectures", std::vector<std::string>{});
  return !names.empty() && names.front().find("Classif") != std::string::npos;
}

Description describe(const Network& network, const std::vector<std::string>& classes) {
  Description description{.files = {}, .keys = network.keys, .prefix = network.prefix};
  const auto publisher = network.source.publisher;
  const bool in_its_words = !network.config.empty();
  if (publisher == Publisher::timm && in_its_words) {
    describe_for_timm(description, network.config, network, classes);
    return description;
  }
  if (publisher == Publisher::transformers && in_its_words && is_classifier(network.config)) {
    describe_for_transformers(description, network.config, network, classes);
    return description;
  }
  for (const auto target :
       {publisher == Publisher::transformers ? Publisher::transformers : Publisher::timm, Publisher::transformers})
    if (published_as(target, description, network, classes)) return description;
  description.add("preprocessor_config.json", image::preprocessor_config(network.transform));
  description.files["labels.txt"] = fmt::format("{}\n", fmt::join(classes, "\n"));
  return description;
}

}  // namespace

void write_model(const Network& network, const std::vector<std::string>& classes, const fs::path& folder) {
  const auto description = describe(network, classes);
  NewFolder made(folder, NewFolder::Existing::replaced);
  for (const auto& [name, text] : description.files) write_file(made.path() / name, text);
  weights::write_checkpoint(made.path() / "model.safetensors", *network.model, description.keys, description.prefix);
  made.put_in_place();
}

}  // namespace nunchi::train
