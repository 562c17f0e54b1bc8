#include "weights/int8_storage.h"

#include <fmt/format.h>

namespace nunchi::weights {
namespace {

constexpr const char* quantisation_field = "quantization_config";

[[noreturn]] void refuse(const std::string& field, const std::string& expected, const Json& found) {
  throw Error(ErrorKind::model, fmt::format("config.json: {}.{}: expected {}, found {}; nunchi reads weights in int8 "
                                            "with a scale for each output channel",
                                            quantisation_field, field, expected, found.dump()));
}

void expect(const Json& config, const std::string& path, const std::string& field, const Json& expected) {
  const auto found = config.find(field);
  if (found != config.end() && *found != expected) refuse(path + field, expected.dump(), *found);
}

}  // namespace

Tensor from_int8(const Tensor& codes, const Tensor& scales) {
  return (codes.flatten(1).to(at::kFloat) * scales.to(at::kFloat).view({-1, 1})).view(codes.sizes());
}

std::string scales_name(const std::string& weight) { return weight + "_scale"; }

std::optional<std::string> scales_of(const formats::WeightFiles& files, const std::string& name) {
  const auto* codes = files.find(name);
  if (codes == nullptr || codes->dtype != formats::Dtype::i8) return std::nullopt;
  const auto beside = scales_name(name);
  const auto* scales = files.find(beside);
  if (scales == nullptr) {
    throw Error(ErrorKind::model,
                fmt::format("{}: tensor \"{}\": expected its scales beside the int8 codes, as \"{}\"; found none",
                            files.file_of(name)->path().string(), name, beside));
  }
  const auto out = codes->shape.empty() ? 0 : codes->shape[0];
  const auto& shape = scales->shape;
  if (codes->shape.size() >= 2 && (shape == Shape{out, 1} || shape == Shape{out} || shape == Shape{1})) return beside;
  throw Error(ErrorKind::model,
              fmt::format("{}: tensor \"{}\": expected a scale for each of {} channels, found shape {}",
                          files.file_of(beside)->path().string(), beside, out, to_string(shape)));
}

Json int8_config(const std::vector<std::string>& in_float) {
  const Json weights = {{"num_bits", 8},         {"type", "int"},    {"symmetric", true},
                        {"strategy", "channel"}, {"dynamic", false}, {"observer", "minmax"}};
  const Json activations = {
      {"num_bits", 8}, {"type", "int"}, {"symmetric", false}, {"strategy", "token"}, {"dynamic", true}};
  return {{"quant_method", "compressed-tensors"},
          {"format", "int-quantized"},
          {"quantization_status", "compressed"},
          {"ignore", in_float},
          {"config_groups",
           {{"group_0",
             {{"targets", {"Linear"}},
              {"weights", weights},
              {"input_activations", activations},
              {"output_activations", nullptr}}}}}};
}

void check_quantisation(const Json& config) {
  const auto found = config.find(quantisation_field);
  if (found == config.end() || found->is_null()) return;
  if (!found->is_object()) refuse("", "an object", *found);
  const auto method = get_or<std::string>(*found, "quant_method", "");
  if (method != "compressed-tensors") refuse("quant_method", "\"compressed-tensors\"", Json(method));
  expect(*found, "", "format", "int-quantized");
  const auto groups = found->value("config_groups", Json::object());
  for (const auto& [name, group] : groups.items()) {
    const Json weights = group.is_object() ? group.value("weights", Json()) : Json();
    const std::string path = fmt::format("config_groups.{}.weights.", name);
    if (!weights.is_object()) refuse(path, "an object", weights);
    expect(weights, path, "num_bits", 8);
    expect(weights, path, "type", "int");
    expect(weights, path, "symmetric", true);
    const auto strategy = get_or<std::string>(weights, "strategy", "");
    if (strategy != "channel" && strategy != "tensor") refuse(path + "strategy", "\"channel\"", Json(strategy));
  }
}

}  // namespace nunchi::weights
