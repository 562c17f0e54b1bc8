#include "models/registry.h"

#include <fmt/format.h>

#include <algorithm>

#include "models/beit_publishers.h"
#include "models/mobilenet_v2.h"
#include "models/vit_timm.h"
#include "models/vit_transformers.h"

namespace nunchi::models {
namespace {

constexpr auto transformers = Publisher::transformers, timm = Publisher::timm;

// Names that transformers has and nunchi has not, with the nearest that it has.
constexpr std::pair<std::string_view, std::string_view> known_but_absent[] = {
    {"cvt", "vit"},
    {"pvt", "vit"},
    {"pvt_v2", "vit"},
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

std::string supported_names(Publisher publisher) {
  std::string names;
  for (const auto& family : families()) {
    for (const auto& name : family.names) {
      if (name.publisher == publisher) names += (names.empty() ? "" : ", ") + std::string(name.name);
    }
  }
  return names;
}

[[noreturn]] void refuse(const Source& source) {
  const auto all = supported_names(source.publisher);
  for (const auto& [name, nearest] : known_but_absent) {
    if (source.publisher == transformers && name == source.name) {
      throw Error(ErrorKind::model,
                  fmt::format("model_type \"{}\" is known, but not supported yet; the nearest supported one is "
                              "\"{}\" (all: {})",
                              source.name, nearest, all));
    }
  }
  throw Error(ErrorKind::model,
              fmt::format("{} \"{}\" is not known; supported are {}",
                          source.publisher == transformers ? "model_type" : "architecture", source.name, all));
}

}  // namespace

std::string_view publisher_name(Publisher publisher) {
  switch (publisher) {
    case Publisher::transformers:
      return "transformers";
    case Publisher::timm:
      return "timm";
    case Publisher::torchvision:
      return "torchvision";
    case Publisher::original:
      return "original";
  }
  ASSERT(false, "every publisher has its name");
}

std::optional<Shape> Source::shape(const std::string& key) const {
  const auto found = shapes.find(key);
  return found == shapes.end() ? std::nullopt : std::optional(found->second);
}

const std::vector<Family>& families() {
  static const std::vector<Family> all = {
      {"vit",
       "Dosovitskiy et al. 2021",
       "ViT, DeiT, DINOv2 with and without registers",
       {{transformers, "vit"},
        {transformers, "deit"},
        {transformers, "dinov2"},
        {transformers, "dinov2_with_registers"},
        {timm, "VisionTransformer"},
        {timm, "VisionTransformerDistilled"}},
       build_vit},
      {"beit",
       "Bao et al. 2022",
       "BEiT, BEiT v2, data2vec's vision model",
       {{transformers, "beit"}, {transformers, "data2vec-vision"}, {timm, "Beit"}},
       build_beit},
      {"mobilenet_v2", "Sandler et al. 2018", "MobileNetV2", {{transformers, "mobilenet_v2"}}, build_mobilenet_v2},
  };
  return all;
}

Built build(const Source& source) {
  if (source.name.empty()) throw Error(ErrorKind::model, "config.json: expected a field \"model_type\", found none");
  for (const auto& family : families()) {
    for (const auto& name : family.names) {
      if (name.publisher != source.publisher || name.name != source.name) continue;
      auto built = family.build(source);
      built.keys.publisher = publisher_name(source.publisher);
      return built;
    }
  }
  refuse(source);
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
      throw Error(ErrorKind::model,
                  fmt::format("config.json{}: expected sizes from 1 to {}, found {}",
                              config.contains("model_type")
                                  ? fmt::format(" of a \"{}\"", get_or<std::string>(config, "model_type", ""))
                                  : "",
                              largest, size));
    }
  }
}

}  // namespace nunchi::models
