#include "weights/int8_storage.h"

#include <fmt/format.h>

#include <cmath>

#include "weights/checkpoint.h"

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

// "a.b.weight" -> "a.b.<name>"
std::string beside(const std::string& weight, const std::string& name) {
  return weight.substr(0, weight.rfind('.') + 1) + name;
}

}  // namespace

Tensor from_int8(const Tensor& codes, const Tensor& scales) {
  return codes.flatten(1).to(at::kFloat).mul_(scales.to(at::kFloat).view({-1, 1})).view(codes.sizes());
}

std::string scales_name(const std::string& weight) { return weight + "_scale"; }

std::optional<std::string> scales_of(const formats::WeightFiles& files, const std::string& name) {
  const auto* codes = files.find(name);
  if (codes == nullptr || codes->dtype != formats::Dtype::i8 || name.ends_with("_zero_point")) return std::nullopt;
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

std::string input_scale_name(const std::string& weight) { return beside(weight, "input_scale"); }

std::string input_zero_name(const std::string& weight) { return beside(weight, "input_zero_point"); }

std::optional<ops::CodeScale> input_of(const formats::WeightFiles& files, const std::string& name) {
  const auto in_scale = input_scale_name(name), in_zero = input_zero_name(name);
  if (!name.ends_with(".weight") || files.find(in_scale) == nullptr) return std::nullopt;
  const auto number = [&](const std::string& named) {
    const Tensor tensor = tensor_of(files, named);
    if (tensor.numel() == 1) return tensor.item<double>();
    throw Error(ErrorKind::model, fmt::format("{}: tensor \"{}\": expected one number, found shape {}",
                                              files.file_of(named)->path().string(), named, to_string(tensor.sizes())));
  };
  const double scale = number(in_scale), zero = files.find(in_zero) != nullptr ? number(in_zero) : 0;
  if (std::isfinite(scale) && scale > 0 && zero >= -128 && zero <= 127)
    return ops::CodeScale{.scale = scale, .zero = static_cast<std::int64_t>(zero) + 128};
  throw Error(ErrorKind::model,
              fmt::format("{}: tensor \"{}\": expected a scale above zero, with a zero point from -128 to 127; found "
                          "{} and {}",
                          files.file_of(in_scale)->path().string(), in_scale, scale, zero));
}

Json int8_config(const std::vector<std::string>& in_float) {
  const Json weights = {{"num_bits", 8},         {"type", "int"},    {"symmetric", true},
                        {"strategy", "channel"}, {"dynamic", false}, {"observer", "minmax"}};
  const auto activations = [](const char* strategy, bool dynamic) {
    return Json{{"num_bits", 8}, {"type", "int"}, {"symmetric", false}, {"strategy", strategy}, {"dynamic", dynamic}};
  };
  const auto group = [&](const char* target, const Json& inputs) {
    return Json{
        {"targets", {target}}, {"weights", weights}, {"input_activations", inputs}, {"output_activations", nullptr}};
  };
  return {{"quant_method", "compressed-tensors"},
          {"format", "int-quantized"},
          {"quantization_status", "compressed"},
          {"ignore", in_float},
          {"config_groups",
           {{"group_0", group("Linear", activations("token", true))},
            {"group_1", group("Conv2d", activations("tensor", false))}}}};
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
