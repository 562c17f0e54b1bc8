// Which of the words of a command line name the model, and which what it is to look at.
#include <fmt/format.h>

#include <array>
#include <map>

#include "cli/options_groups.h"

namespace nunchi::cli {
namespace {

enum class Inputs { none, picture, dataset, pictures, features };  // picture: one, or none; features: any number

struct Takes {
  Inputs inputs;
  bool bundled;  // where no model is named, the one that is part of nunchi
};

const std::map<std::string, Takes>& commands_with_a_model() {
  static const std::map<std::string, Takes> commands = {
      {"classify", {Inputs::pictures, true}}, {"embed", {Inputs::pictures, true}},
      {"similar", {Inputs::pictures, true}},  {"walk", {Inputs::pictures, true}},
      {"eval", {Inputs::dataset, true}},      {"bench", {Inputs::none, true}},
      {"profile", {Inputs::picture, true}},   {"forward", {Inputs::none, false}},
      {"info", {Inputs::none, false}},        {"convert", {Inputs::none, false}},
      {"quantize", {Inputs::none, true}},     {"explain", {Inputs::pictures, true}},
      {"features", {Inputs::features, true}}, {"graph", {Inputs::none, true}},
  };
  return commands;
}

bool names_no_model(const Options& options, Inputs inputs) {
  const auto& words = options.inputs;
  if (!options.model.empty()) return false;
  if (words.empty()) return inputs != Inputs::dataset && inputs != Inputs::pictures;
  const bool may_be_inputs =
      inputs == Inputs::pictures || inputs == Inputs::features || (inputs != Inputs::none && words.size() == 1);
  return may_be_inputs && is_input(words.front(), options);
}

// A picture in the model's place is the likeliest slip of a first call.
void check_is_no_picture(const Options& options) {
  constexpr std::array weights{".safetensors", ".json", ".bin", ".pt", ".pth"};
  const std::filesystem::path path = options.model;
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return;
  if (std::find(weights.begin(), weights.end(), path.extension()) != weights.end()) return;
  throw CLI::ValidationError(
      "MODEL", fmt::format("{}: expected a model, found a file that is none: "
                           "nunchi {} MODEL{}",
                           options.model, options.command, options.command == "info" ? "" : " " + options.model));
}

void take_model(Options& options) {
  if (options.model.empty() && !options.inputs.empty()) {
    options.model = options.inputs.front();
    options.inputs.erase(options.inputs.begin());
  }
  if (options.model.empty()) {
    throw CLI::ValidationError(
        "MODEL", "expected a folder with config.json and model.safetensors, first or after -m; found none");
  }
  check_is_no_picture(options);
}

// All that is named are models.
void settle_benched_models(Options& options) {
  if (!options.model.empty()) options.models.push_back(options.model);
  options.models.insert(options.models.end(), options.inputs.begin(), options.inputs.end());
  options.inputs.clear();
  if (options.models.size() < 2) {
    throw CLI::ValidationError("--compare", fmt::format("expected two models or more, found {}: nunchi bench --compare "
                                                        "MODEL MODEL...",
                                                        options.models.size()));
  }
  for (const auto& name : options.models) {
    options.model = name;
    check_is_no_picture(options);
  }
}

void check_inputs(const Options& options, Inputs inputs) {
  const auto& words = options.inputs;
  switch (inputs) {
    case Inputs::none:
      if (!words.empty()) throw CLI::ExtrasError(words);
      return;
    case Inputs::picture:
      if (words.size() > 1) throw CLI::ExtrasError({words.begin() + 1, words.end()});
      return;
    case Inputs::dataset:
      return check_one_dataset(options);
    case Inputs::features:
      return check_features(options);
    case Inputs::pictures:
      if (words.empty()) {
        throw CLI::ValidationError(
            "INPUT", fmt::format("no pictures are named: nunchi {} {} INPUT...", options.command, options.model));
      }
  }
}

}  // namespace

void settle_model(Options& options) {
  if (takes_several_models(options)) return settle_models(options);
  if (options.command == "bench" && options.side_by_side) return settle_benched_models(options);
  if (options.command == "parity" && options.inputs.empty() && options.published.empty())
    throw CLI::ValidationError("CASE", "expected case folders, or --published with names; found neither");
  const auto found = commands_with_a_model().find(options.command);
  if (found == commands_with_a_model().end()) return;
  const auto& [inputs, bundled] = found->second;
  options.bundled = bundled && names_no_model(options, inputs);
  if (!options.bundled) take_model(options);
  check_inputs(options, inputs);
}

}  // namespace nunchi::cli
