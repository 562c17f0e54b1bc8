#include "models/registry.h"

#include <fmt/format.h>

#include "models/mobilenet_v2.h"
#include "models/vit_transformers.h"

namespace nunchi::models {
namespace {

Built build_vit(const Source& source) {
  const auto config = vit_config_from_transformers(source);
  return {std::make_unique<Vit>(config), vit_keys_of_transformers(config, key_style(source))};
}

Built build_mobilenet_v2(const Source& source) {
  const auto config = mobilenet_v2_config_from_transformers(source);
  return {std::make_unique<MobileNetV2>(config), mobilenet_v2_keys_of_transformers(config)};
}

template <VitConfig (*config)()>
std::unique_ptr<Model> vit() {
  return std::make_unique<Vit>(config());
}

template <VitConfig (*config)()>
std::unique_ptr<Model> distilled() {
  return std::make_unique<Vit>(deit_distilled(config()));
}

// Architectures that exist but are not here, with the nearest that is.
constexpr std::pair<std::string_view, std::string_view> known_but_absent[] = {
    {"cvt", "vit"},
    {"pvt", "vit"},
    {"pvt_v2", "vit"},
    {"beit", "vit"},
    {"data2vec-vision", "vit"},
    {"vit_mae", "vit"},
    {"vit_msn", "vit"},
    {"vit_hybrid", "vit"},
    {"vitdet", "vit"},
    {"ijepa", "vit"},
    {"dinov3_vit", "dinov2"},
    {"swin", "vit"},
    {"swinv2", "vit"},
    {"clip", "vit"},
    {"siglip", "vit"},
    {"clip_vision_model", "vit"},
    {"convnext", "mobilenet_v2"},
    {"convnextv2", "mobilenet_v2"},
    {"resnet", "mobilenet_v2"},
    {"mobilenet_v1", "mobilenet_v2"},
    {"mobilevit", "mobilenet_v2"},
    {"efficientnet", "mobilenet_v2"},
    {"sam", "vit"},
    {"detr", "vit"},
    {"yolos", "vit"},
    {"dpt", "dinov2"},
    {"segformer", "vit"},
};

std::string supported_types() {
  std::string names;
  for (const auto& architecture : architectures())
    names += (names.empty() ? "" : ", ") + std::string(architecture.model_type);
  return names;
}

[[noreturn]] void refuse(const std::string& type) {
  for (const auto& [name, nearest] : known_but_absent) {
    if (name == type) {
      throw Error(ErrorKind::model,
                  fmt::format("model_type \"{}\" is known, but not supported yet; the nearest supported one is "
                              "\"{}\" (all: {})",
                              type, nearest, supported_types()));
    }
  }
  throw Error(ErrorKind::model,
              fmt::format("model_type \"{}\" is not known; supported are {}", type, supported_types()));
}

}  // namespace

const std::vector<Architecture>& architectures() {
  static const std::vector<Architecture> all = {
      {"vit", "Dosovitskiy et al. 2021", "ViTModel, ViTForImageClassification", build_vit},
      {"deit", "Touvron et al. 2021", "DeiTModel, DeiTForImageClassification, ...WithTeacher", build_vit},
      {"dinov2", "Oquab et al. 2023", "Dinov2Model, Dinov2ForImageClassification", build_vit},
      {"dinov2_with_registers", "Darcet et al. 2023", "Dinov2WithRegistersModel, ...ForImageClassification", build_vit},
      {"mobilenet_v2", "Sandler et al. 2018", "MobileNetV2Model, MobileNetV2ForImageClassification",
       build_mobilenet_v2},
  };
  return all;
}

const std::vector<Preset>& presets() {
  static const std::vector<Preset> all = {
      {"vit_tiny_patch16_224", "Touvron et al. 2021", vit<vit_ti16>},
      {"vit_small_patch16_224", "Touvron et al. 2021", vit<vit_s16>},
      {"vit_base_patch16_224", "Dosovitskiy et al. 2021", vit<vit_b16>},
      {"vit_base_patch32_224", "Dosovitskiy et al. 2021", vit<vit_b32>},
      {"vit_large_patch16_224", "Dosovitskiy et al. 2021", vit<vit_l16>},
      {"vit_huge_patch14_224", "Dosovitskiy et al. 2021", vit<vit_h14>},
      {"vit_giant_patch14_dinov2", "Oquab et al. 2023", vit<vit_g14>},
      {"deit_tiny_distilled_patch16_224", "Touvron et al. 2021", distilled<vit_ti16>},
      {"deit_small_distilled_patch16_224", "Touvron et al. 2021", distilled<vit_s16>},
      {"deit_base_distilled_patch16_224", "Touvron et al. 2021", distilled<vit_b16>},
      {"mobilenet_v2_1.0_224", "Sandler et al. 2018",
       []() -> std::unique_ptr<Model> { return std::make_unique<MobileNetV2>(MobileNetV2Config{}); }},
  };
  return all;
}

Built build(const Source& source) {
  const auto type = get_or<std::string>(source.config, "model_type", "");
  if (type.empty()) throw Error(ErrorKind::model, "config.json: expected a field \"model_type\", found none");
  for (const auto& architecture : architectures()) {
    if (architecture.model_type == type) return architecture.build(source);
  }
  refuse(type);
}

Built build_preset(const std::string& name) {
  std::string names;
  for (const auto& preset : presets()) {
    if (preset.name == name) return {preset.build(), {.publisher = "timm"}};
    names += (names.empty() ? "" : ", ") + std::string(preset.name);
  }
  throw Error(ErrorKind::usage, fmt::format("--arch {}: not known; known are {}", name, names));
}

std::int64_t label_count(const Json& config) {
  const auto labels = config.find("id2label");
  if (labels != config.end() && labels->is_object()) return static_cast<std::int64_t>(labels->size());
  return get_or<std::int64_t>(config, "num_labels", 2);
}

std::array<std::int64_t, 2> pair_or(const Json& config, const std::string& field, std::int64_t fallback) {
  const auto found = config.find(field);
  if (found != config.end() && found->is_array()) return get_or(config, field, std::array<std::int64_t, 2>{});
  const auto side = get_or(config, field, fallback);
  return {side, side};
}

void check_sizes(const Json& config, const std::vector<std::int64_t>& sizes, std::int64_t largest) {
  for (const auto size : sizes) {
    if (size < 1 || size > largest) {
      throw Error(ErrorKind::model, fmt::format("config.json of a \"{}\": expected sizes from 1 to {}, found {}",
                                                get_or<std::string>(config, "model_type", ""), largest, size));
    }
  }
}

}  // namespace nunchi::models
