#include "train/recipe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>

#include "core/nearest.h"
#include "core/yaml.h"

namespace nunchi::train {
namespace {

template <class AnyRecipe, class Visitor>
void visit_inputs(AnyRecipe& r, const Visitor& visit) {
  visit("model.arch", r.model.arch);
  visit("model.arguments", r.model.arguments);
  visit("model.checkpoint", r.model.checkpoint);
  visit("model.freeze_backbone", r.model.freeze_backbone);
  visit("model.freeze_batch_norm", r.model.freeze_batch_norm);
  visit("model.backbone_rate_scale", r.model.backbone_rate_scale);
  visit("data.path", r.data.path);
  visit("data.train", r.data.train);
  visit("data.validation", r.data.validation);
  visit("data.validation_fraction", r.data.validation_fraction);
  visit("data.classes", r.data.classes);
  visit("data.limit", r.data.limit);
  visit("data.batch", r.data.batch);
  visit("data.workers", r.data.workers);
  visit("data.keep_decoded", r.data.keep_decoded);
  visit("augment.size", r.augment.size);
  visit("augment.interpolation", r.augment.interpolation);
  visit("augment.mean", r.augment.mean);
  visit("augment.std", r.augment.std);
  visit("augment.crop", r.augment.crop);
  visit("augment.padding", r.augment.padding);
  visit("augment.scale", r.augment.scale);
  visit("augment.ratio", r.augment.ratio);
  visit("augment.flip", r.augment.flip);
  visit("augment.vertical_flip", r.augment.vertical_flip);
  visit("augment.rotation", r.augment.rotation);
  visit("augment.brightness", r.augment.brightness);
  visit("augment.contrast", r.augment.contrast);
  visit("augment.saturation", r.augment.saturation);
  visit("augment.hue", r.augment.hue);
  visit("augment.grayscale", r.augment.grayscale);
  visit("augment.rand_augment_operations", r.augment.rand_augment_operations);
  visit("augment.rand_augment_magnitude", r.augment.rand_augment_magnitude);
  visit("augment.erasing", r.augment.erasing);
}

template <class AnyRecipe, class Visitor>
void visit_steps(AnyRecipe& r, const Visitor& visit) {
  visit("optimizer.kind", r.optimizer.kind);
  visit("optimizer.learning_rate", r.optimizer.learning_rate);
  visit("optimizer.weight_decay", r.optimizer.weight_decay);
  visit("optimizer.beta1", r.optimizer.beta1);
  visit("optimizer.beta2", r.optimizer.beta2);
  visit("optimizer.eps", r.optimizer.eps);
  visit("optimizer.momentum", r.optimizer.momentum);
  visit("optimizer.nesterov", r.optimizer.nesterov);
  visit("optimizer.clip_norm", r.optimizer.clip_norm);
  visit("optimizer.accumulate", r.optimizer.accumulate);
  visit("schedule.kind", r.schedule.kind);
  visit("schedule.epochs", r.schedule.epochs);
  visit("schedule.warmup_epochs", r.schedule.warmup_epochs);
  visit("schedule.final_rate", r.schedule.final_rate);
  visit("schedule.step_epochs", r.schedule.step_epochs);
  visit("schedule.step_factor", r.schedule.step_factor);
  visit("loss.label_smoothing", r.loss.label_smoothing);
  visit("regularisation.drop_path", r.regularisation.drop_path);
  visit("regularisation.dropout", r.regularisation.dropout);
  visit("regularisation.mixup", r.regularisation.mixup);
  visit("regularisation.cutmix", r.regularisation.cutmix);
  visit("regularisation.mix_probability", r.regularisation.mix_probability);
  visit("regularisation.switch_probability", r.regularisation.switch_probability);
  visit("regularisation.ema_decay", r.regularisation.ema_decay);
  visit("run.seed", r.run.seed);
  visit("run.precision", r.run.precision);
  visit("run.log_every", r.run.log_every);
  visit("run.save_every_seconds", r.run.save_every_seconds);
}

// The one list of fields: calls visit("section.field", reference) in the order of the structs.
template <class AnyRecipe, class Visitor>
void visit_fields(AnyRecipe& r, const Visitor& visit) {
  visit_inputs(r, visit);
  visit_steps(r, visit);
}

// The result is the same whatever these are.
constexpr std::string_view without_effect[] = {"data.workers", "data.keep_decoded", "run.log_every",
                                               "run.save_every_seconds"};

std::string pointer_of(std::string_view field) {
  std::string pointer = fmt::format("/{}", field);
  std::ranges::replace(pointer, '.', '/');
  return pointer;
}

// --- what a field may hold

std::optional<std::string> read_value(const Json& json, std::string& value) {
  if (!json.is_string()) return "text";
  value = json.get<std::string>();
  return std::nullopt;
}

std::optional<std::string> read_value(const Json& json, bool& value) {
  if (!json.is_boolean()) return "true or false";
  value = json.get<bool>();
  return std::nullopt;
}

std::optional<std::string> read_value(const Json& json, std::int64_t& value) {
  const bool whole = json.is_number_integer() && json.get<double>() <= 9e15 && json.get<double>() >= -9e15;
  if (!whole) return "a whole number";
  value = json.get<std::int64_t>();
  return std::nullopt;
}

std::optional<std::string> read_value(const Json& json, double& value) {
  if (!json.is_number()) return "a number";
  value = json.get<double>();
  return std::nullopt;
}

std::optional<std::string> read_value(const Json& json, std::vector<double>& value) {
  const bool numbers = json.is_array() && std::ranges::all_of(json, [](const Json& one) { return one.is_number(); });
  if (!numbers) return "a list of numbers, such as [32, 32]";
  value = json.get<std::vector<double>>();
  return std::nullopt;
}

std::optional<std::string> read_value(const Json& json, std::vector<std::string>& value) {
  const bool texts = json.is_array() && std::ranges::all_of(json, [](const Json& one) { return one.is_string(); });
  if (!texts) return "a list of names, such as [cat, dog]";
  value = json.get<std::vector<std::string>>();
  return std::nullopt;
}

std::optional<std::string> read_value(const Json& json, Json& value) {
  if (!json.is_object()) return "names with values, such as {depth: 9}";
  value = json;
  return std::nullopt;
}

// One of each kind of limit; `where` is the field's file and line.
class Check {
 public:
  explicit Check(std::function<std::string(const std::string& field)> where) : where_(std::move(where)) {}

  [[noreturn]] void fail(const std::string& field, const std::string& expected, const Json& found) const {
    throw Error(ErrorKind::usage,
                fmt::format("{}: {}: expected {}, found {}", where_(field), field, expected, found.dump()));
  }
  void range(const std::string& field, double value, double low, double high) const {
    if (!(value >= low && value <= high))
      fail(field, high > 1e12 ? fmt::format("at least {}", low) : fmt::format("{} to {}", low, high), value);
  }
  void name(const std::string& field, const std::string& value, const std::vector<std::string>& known) const {
    if (std::ranges::count(known, value) == 0) fail(field, fmt::format("one of {}", fmt::join(known, ", ")), value);
  }
  void count(const std::string& field, const std::vector<double>& values, std::size_t wanted, bool may_be_empty,
             double low) const {
    const bool counted = values.size() == wanted || (may_be_empty && values.empty());
    if (!counted || std::ranges::any_of(values, [&](double value) { return !(value >= low && value < 1e9); }))
      fail(field, fmt::format("{} numbers of at least {}", wanted, low), values);
  }

 private:
  std::function<std::string(const std::string& field)> where_;
};

constexpr double unlimited = 1e15;

void check_data(const Recipe& r, const Check& check) {
  if (r.model.arch.empty() && r.model.checkpoint.empty())
    check.fail("model", "arch (from scratch) or checkpoint (to fine-tune)", Json());
  if (r.data.path.empty()) check.fail("data.path", "a dataset", "");
  check.range("model.backbone_rate_scale", r.model.backbone_rate_scale, 0, 1000);
  check.range("data.validation_fraction", r.data.validation_fraction, 0, 0.9);
  check.range("data.limit", static_cast<double>(r.data.limit), 0, unlimited);
  check.range("data.batch", static_cast<double>(r.data.batch), 1, 1 << 20);
  check.range("data.workers", static_cast<double>(r.data.workers), 0, 1024);
}

void check_augment(const Recipe& r, const Check& check) {
  const auto& a = r.augment;
  check.count("augment.size", a.size, 2, true, 1);
  check.count("augment.mean", a.mean, 3, true, -1e9);
  check.count("augment.std", a.std, 3, true, 1e-6);
  check.count("augment.scale", a.scale, 2, false, 1e-6);
  check.count("augment.ratio", a.ratio, 2, false, 1e-6);
  check.name("augment.interpolation", a.interpolation,
             {"", "nearest", "bilinear", "bicubic", "box", "hamming", "lanczos"});
  check.name("augment.crop", a.crop, {"none", "random", "resized"});
  check.range("augment.padding", static_cast<double>(a.padding), 0, 4096);
  check.range("augment.rotation", a.rotation, 0, 180);
  check.range("augment.hue", a.hue, 0, 0.5);
  for (const auto& [field, value] : {std::pair{"flip", a.flip},
                                     {"vertical_flip", a.vertical_flip},
                                     {"grayscale", a.grayscale},
                                     {"erasing", a.erasing}})
    check.range(fmt::format("augment.{}", field), value, 0, 1);
  for (const auto& [field, value] :
       {std::pair{"brightness", a.brightness}, {"contrast", a.contrast}, {"saturation", a.saturation}})
    check.range(fmt::format("augment.{}", field), value, 0, 100);
  check.range("augment.rand_augment_operations", static_cast<double>(a.rand_augment_operations), 0, 14);
  check.range("augment.rand_augment_magnitude", static_cast<double>(a.rand_augment_magnitude), 0, 30);
}

void check_optimizer(const Recipe& r, const Check& check) {
  const auto& o = r.optimizer;
  check.name("optimizer.kind", o.kind, {"adamw", "sgd"});
  check.range("optimizer.learning_rate", o.learning_rate, 0, 1000);
  check.range("optimizer.weight_decay", o.weight_decay, 0, 1000);
  check.range("optimizer.beta1", o.beta1, 0, 0.999999999);
  check.range("optimizer.beta2", o.beta2, 0, 0.999999999);
  check.range("optimizer.eps", o.eps, 0, 1);
  check.range("optimizer.momentum", o.momentum, 0, 0.999999999);
  check.range("optimizer.clip_norm", o.clip_norm, 0, unlimited);
  check.range("optimizer.accumulate", static_cast<double>(o.accumulate), 1, 1 << 20);
}

void check_rest(const Recipe& r, const Check& check) {
  const auto& s = r.schedule;
  check.name("schedule.kind", s.kind, {"cosine", "constant", "step"});
  check.range("schedule.epochs", static_cast<double>(s.epochs), 1, 1e6);
  check.range("schedule.warmup_epochs", s.warmup_epochs, 0, static_cast<double>(s.epochs));
  check.range("schedule.final_rate", s.final_rate, 0, 1000);
  check.range("schedule.step_epochs", s.step_epochs, 1e-6, 1e6);
  check.range("schedule.step_factor", s.step_factor, 0, 1000);
  check.range("loss.label_smoothing", r.loss.label_smoothing, 0, 0.999);
  const auto& g = r.regularisation;
  for (const auto& [field, value] :
       {std::pair{"drop_path", g.drop_path}, {"dropout", g.dropout}, {"ema_decay", g.ema_decay}})
    check.range(fmt::format("regularisation.{}", field), value, 0, 0.9999999);
  for (const auto& [field, value] : {std::pair{"mixup", g.mixup}, {"cutmix", g.cutmix}})
    check.range(fmt::format("regularisation.{}", field), value, 0, 1000);
  for (const auto& [field, value] :
       {std::pair{"mix_probability", g.mix_probability}, {"switch_probability", g.switch_probability}})
    check.range(fmt::format("regularisation.{}", field), value, 0, 1);
  check.range("run.seed", static_cast<double>(r.run.seed), 0, unlimited);
  check.name("run.precision", r.run.precision, {"fp32", "bf16"});
  check.range("run.log_every", static_cast<double>(r.run.log_every), 1, unlimited);
  check.range("run.save_every_seconds", r.run.save_every_seconds, 0, unlimited);
}

// --- a file and words

struct Words {
  Yaml yaml;
  std::map<std::string, std::string> given;  // by pointer: the words of the command line

  std::string where(const std::string& field) const {
    for (auto pointer = pointer_of(field); !pointer.empty(); pointer.resize(pointer.rfind('/')))
      if (const auto found = given.find(pointer); found != given.end()) return fmt::format("\"{}\"", found->second);
    return yaml.where(pointer_of(field));
  }
};

std::vector<std::string> field_names() {
  std::vector<std::string> names;
  const Recipe recipe;
  visit_fields(recipe, [&](const char* field, const auto&) { names.emplace_back(field); });
  return names;
}

void apply(Words& words, const std::string& word) {
  const auto equals = word.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw Error(ErrorKind::usage,
                fmt::format("{}: expected section.field=value, such as optimizer.learning_rate=1e-3", word));
  }
  const auto pointer = pointer_of(word.substr(0, equals));
  try {
    words.yaml.json[Json::json_pointer(pointer)] = parse_yaml(word.substr(equals + 1), word).json;
  } catch (const nlohmann::json::exception&) {
    throw Error(ErrorKind::usage, fmt::format("{}: there is nothing of this name in the recipe", word));
  }
  words.given[pointer] = word;
}

void refuse_unknown(const Words& words) {
  const auto names = field_names();
  const auto refuse = [&](const std::string& field) {
    throw Error(ErrorKind::usage, fmt::format("{}: no field \"{}\" is known; the nearest is \"{}\"", words.where(field),
                                              field, nearest_name(field, names)));
  };
  for (const auto& [section, fields] : words.yaml.json.items()) {
    const std::string beginning = section + ".";
    const auto begins = [&](const std::string& name) { return name.starts_with(beginning); };
    if (std::ranges::none_of(names, begins)) refuse(section);
    if (fields.is_null()) continue;
    if (!fields.is_object())
      throw Error(ErrorKind::usage, fmt::format("{}: {}: expected fields below it, found {}", words.where(section),
                                                section, fields.dump()));
    for (const auto& [field, value] : fields.items()) {
      const auto full = fmt::format("{}.{}", section, field);
      if (std::ranges::count(names, full) == 0) refuse(full);
    }
  }
}

Recipe from_words(const Words& words) {
  const auto& json = words.yaml.json;
  if (!json.is_object())
    throw Error(ErrorKind::usage, fmt::format("{}: expected a recipe: sections with fields below", words.yaml.name));
  refuse_unknown(words);
  const Check check([&](const std::string& field) { return words.where(field); });
  Recipe recipe;
  visit_fields(recipe, [&](const std::string& field, auto& value) {
    const Json::json_pointer pointer(pointer_of(field));
    if (!json.contains(pointer) || json[pointer].is_null()) return;
    if (const auto expected = read_value(json[pointer], value)) check.fail(field, *expected, json[pointer]);
  });
  check_data(recipe, check);
  check_augment(recipe, check);
  check_optimizer(recipe, check);
  check_rest(recipe, check);
  return recipe;
}

Recipe from_yaml(Yaml yaml, const std::vector<std::string>& overrides) {
  Words words{.yaml = std::move(yaml), .given = {}};
  if (words.yaml.json.is_null()) words.yaml.json = Json::object();
  for (const auto& word : overrides) apply(words, word);
  return from_words(words);
}

}  // namespace

Recipe read_recipe(const std::filesystem::path& path, const std::vector<std::string>& overrides) {
  return from_yaml(read_yaml(path), overrides);
}

Recipe parse_recipe(const std::string& yaml, const std::string& name, const std::vector<std::string>& overrides) {
  return from_yaml(parse_yaml(yaml, name), overrides);
}

Json to_json(const Recipe& recipe) {
  Json json = Json::object();
  visit_fields(recipe, [&](const std::string& field, const auto& value) {
    json[Json::json_pointer(pointer_of(field))] = value;
  });
  return json;
}

Recipe recipe_from_json(const Json& json, const std::string& name) {
  return from_words({.yaml = {.name = name, .json = json, .lines = {}}, .given = {}});
}

std::vector<std::string> differences(const Recipe& now, const Recipe& before) {
  std::vector<std::string> found;
  const Json left = to_json(now), right = to_json(before);
  visit_fields(now, [&](const std::string& field, const auto&) {
    const Json::json_pointer pointer(pointer_of(field));
    if (std::ranges::count(without_effect, field) > 0 || left[pointer] == right[pointer]) return;
    found.push_back(fmt::format("{}: {}, was {}", field, left[pointer].dump(), right[pointer].dump()));
  });
  return found;
}

}  // namespace nunchi::train
