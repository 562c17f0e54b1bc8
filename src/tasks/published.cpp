#include "tasks/published.h"

#include <ATen/ops/from_blob.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <set>

#include "core/asset.h"
#include "tasks/forward.h"

namespace nunchi::tasks {
namespace {

void flatten(const Json& values, std::size_t depth, Figure& figure) {
  if (!values.is_array()) return figure.values.push_back(values.get<float>());
  if (depth == figure.shape.size()) figure.shape.push_back(static_cast<std::int64_t>(values.size()));
  for (const auto& value : values) flatten(value, depth + 1, figure);
}

Figure parse_figure(const Json& json) {
  Figure figure{.checkpoint = json.at("checkpoint"), .output = json.at("output"), .at = json.at("at")};
  figure.tolerance = json.at("tolerance");
  flatten(json.at("values"), 0, figure);
  const auto count = std::accumulate(figure.shape.begin(), figure.shape.end(), std::int64_t{1}, std::multiplies<>());
  if (count != static_cast<std::int64_t>(figure.values.size()))
    throw Error(ErrorKind::input, fmt::format("{}: expected rows of the same length", figure.checkpoint));
  const auto size = get_or(json, "size", std::vector<int>{});
  if (size.size() == 2) figure.size = image::Size{size[0], size[1]};
  return figure;
}

PublishedFigures parse(const Json& json, const std::string& name) {
  try {
    PublishedFigures published{.source = json.at("source"), .image = json.at("image"), .figures = {}};
    for (const auto& figure : json.at("figures")) published.figures.push_back(parse_figure(figure));
    return published;
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::input, fmt::format("{}: expected a table of figures: {}", name, error.what()));
  }
}

std::string place(const Figure& figure) {
  std::string text;
  for (const auto index : figure.at) text += fmt::format("{}{}", text.empty() ? "" : ", ", index);
  for (const auto size : figure.shape) text += fmt::format("{}:{}", text.empty() ? "" : ", ", size);
  return fmt::format("{}[{}]", figure.output, text);
}

// The part of an output that a figure stands for; undefined where the output has no such place.
Tensor part_of(Tensor output, const Figure& figure) {
  if (output.dim() != static_cast<std::int64_t>(figure.at.size() + figure.shape.size())) return {};
  for (const auto index : figure.at) {
    if (index >= output.size(0)) return {};
    output = output.select(0, index);
  }
  for (std::size_t axis = 0; axis < figure.shape.size(); ++axis) {
    const auto dim = static_cast<std::int64_t>(axis);
    if (figure.shape[axis] > output.size(dim)) return {};
    output = output.narrow(dim, 0, figure.shape[axis]);
  }
  return output;
}

StageResult compare(const Figure& figure, const std::vector<NamedTensor>& outputs, nn::Precision precision) {
  StageResult stage{.name = place(figure), .required = true};
  const auto found = std::ranges::find(outputs, figure.output, &NamedTensor::name);
  const Tensor part = found == outputs.end() ? Tensor() : part_of(found->value, figure);
  if (!part.defined()) {
    stage.remark = found == outputs.end() ? "not produced" : "found shape " + to_string(found->value.sizes());
    return stage;
  }
  const Tensor wanted = at::from_blob(const_cast<float*>(figure.values.data()), figure.shape, at::kFloat);
  const Tensor difference = (wanted - part).abs();
  const double tolerance = std::max(rounding_of(precision), figure.tolerance);
  stage.max_absolute = difference.max().item<double>();
  stage.max_relative = stage.max_absolute / std::max(wanted.abs().max().item<double>(), 1e-12);
  stage.passed = (difference <= tolerance + tolerance * wanted.abs()).all().item<bool>();
  return stage;
}

std::vector<Figure> figures_of(const PublishedFigures& published, const std::string& checkpoint) {
  const std::string name = checkpoint.substr(0, checkpoint.find('@'));
  std::vector<Figure> figures;
  std::set<std::string> known;
  for (const auto& figure : published.figures) {
    known.insert(figure.checkpoint);
    if (figure.checkpoint == name) figures.push_back(figure);
  }
  if (!figures.empty()) return figures;
  std::string names;
  for (const auto& other : known) names += "\n  " + other;
  throw Error(ErrorKind::usage,
              fmt::format("{}: no published figures of it are known; known are{}", checkpoint, names));
}

}  // namespace

PublishedFigures published_figures() {
  constexpr const char* table = "models/published.json";
  return parse(parse_json(asset(table), table), table);
}

PublishedFigures read_published_figures(const std::filesystem::path& file) {
  return parse(read_json(file), file.string());
}

ParityResult run_published(const PublishedFigures& published, const std::string& checkpoint,
                           const std::filesystem::path& image, nn::Precision precision, at::Device device) {
  const auto figures = figures_of(published, checkpoint);
  const VisionModel model({.path = checkpoint}, precision, device);
  ParityResult result{.name = checkpoint, .peer = published.source, .stages = {}};
  for (const auto& figure : figures) {
    const auto outputs = forward_outputs(model, {.image = image, .size = figure.size});
    result.stages.push_back(compare(figure, outputs, precision));
  }
  return result;
}

}  // namespace nunchi::tasks
