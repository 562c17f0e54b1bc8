#include "models/registry.h"

#include <fmt/format.h>

#include <algorithm>

#include "models/beit_publishers.h"
#include "models/convnext_publishers.h"
#include "models/eva_publishers.h"
#include "models/mobilenet_v2_publishers.h"
#include "models/resnet_publishers.h"
#include "models/simple_cnn.h"
#include "models/swin_publishers.h"
#include "models/vit_publishers.h"

namespace nunchi::models {
namespace {

constexpr auto transformers = Publisher::transformers, timm = Publisher::timm, torchvision = Publisher::torchvision,
               original = Publisher::original;

// Names that transformers has and nunchi has not, with the nearest that it has.
constexpr std::pair<std::string_view, std::string_view> known_but_absent[] = {
    {"cvt", "vit"},
    {"pvt", "vit"},
    {"pvt_v2", "vit"},
    {"vit_hybrid", "vit"},
    {"vitdet", "vit"},
    {"clip", "vit"},
    {"siglip", "vit"},
    {"clip_vision_model", "vit"},
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

namespace {

const Family& family_of(const Source& source) {
  for (const auto& family : families()) {
    for (const auto& name : family.names) {
      if (name.publisher == source.publisher && name.name == source.name) return family;
    }
  }
  refuse(source);
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

namespace {

std::vector<Family> transformer_families() {
  return {
      {"vit",
       "Dosovitskiy et al. 2021",
       "ViT, DeiT, CLIP's and SigLIP's towers, AIMv2, DINO, DINOv2 with and without registers, MAE, MSN, I-JEPA",
       {{transformers, "vit"},
        {transformers, "deit"},
        {transformers, "dinov2"},
        {transformers, "dinov2_with_registers"},
        {transformers, "vit_mae"},
        {transformers, "vit_msn"},
        {transformers, "ijepa"},
        {timm, "VisionTransformer"},
        {timm, "VisionTransformerDistilled"},
        {torchvision, "VisionTransformer"},
        {original, "DINO"},
        {original, "DINOv2"}},
       build_vit,
       publish_vit},
      {"beit",
       "Bao et al. 2022",
       "BEiT, BEiT v2, data2vec's vision model",
       {{transformers, "beit"}, {transformers, "data2vec-vision"}, {timm, "Beit"}},
       build_beit},
      {"eva",
       "Fang et al. 2023, Siméoni et al. 2025",
       "EVA, EVA-02, DINOv3, rotary ViTs, Perception Encoder",
       {{transformers, "dinov3_vit"}, {timm, "Eva"}},
       build_eva},
      {"swin",
       "Liu et al. 2021, Liu et al. 2022",
       "Swin and Swin v2, their backbones too",
       {{transformers, "swin"},
        {transformers, "swinv2"},
        {timm, "SwinTransformer"},
        {timm, "SwinTransformerV2"},
        {torchvision, "SwinTransformer"}},
       build_swin,
       publish_swin},
  };
}

std::vector<Family> convolutional_families() {
  return {
      {"resnet",
       "He et al. 2016",
       "ResNet, wide ResNet, ResNeXt, SE-ResNet, ECA-ResNet, ResNet-RS, d- and t-variants",
       {{transformers, "resnet"}, {timm, "ResNet"}, {torchvision, "ResNet"}},
       build_resnet,
       publish_resnet},
      {"resnet_cifar",
       "He et al. 2016, section 4.2",
       "ResNet-20 to ResNet-110 for CIFAR-10",
       {{original, "CifarResNet"}},
       build_cifar_resnet},
      {"simple_cnn", "no paper", "a first network for CIFAR-10", {{original, "SimpleCnn"}}, build_simple_cnn},
      {"convnext",
       "Liu et al. 2022, Woo et al. 2023",
       "ConvNeXt, ConvNeXt V2",
       {{transformers, "convnext"}, {transformers, "convnextv2"}, {timm, "ConvNeXt"}, {torchvision, "ConvNeXt"}},
       build_convnext},
      {"mobilenet_v2",
       "Sandler et al. 2018",
       "MobileNetV2",
       {{transformers, "mobilenet_v2"}, {timm, "MobileNetV2"}, {torchvision, "MobileNetV2"}},
       build_mobilenet_v2},
  };
}

}  // namespace

const std::vector<Family>& families() {
  static const std::vector<Family> all = [] {
    auto joined = transformer_families();
    const auto convolutional = convolutional_families();
    joined.insert(joined.end(), convolutional.begin(), convolutional.end());
    return joined;
  }();
  return all;
}

Built build(const Source& source) {
  if (source.name.empty()) throw Error(ErrorKind::model, "config.json: expected a field \"model_type\", found none");
  auto built = family_of(source).build(source);
  built.keys.publisher = publisher_name(source.publisher);
  return built;
}

Published publish(const Source& source, const Model& model, Publisher publisher) {
  const auto& family = family_of(source);
  if (family.publish == nullptr) {
    throw Error(ErrorKind::usage,
                fmt::format("a {} cannot be written in the words of {} yet; --as safetensors keeps "
                            "those of {}",
                            family.name, publisher_name(publisher), publisher_name(source.publisher)));
  }
  auto published = family.publish(model, publisher);
  published.keys.publisher = publisher_name(publisher);
  return published;
}

std::int64_t label_count(const Json& config) {
  const auto labels = config.find("id2label");
  if (labels != config.end() && labels->is_object()) return static_cast<std::int64_t>(labels->size());
  return get_or<std::int64_t>(config, "num_labels", 2);
}

std::array<std::int64_t, 2> pair_or(const Json& config, const std::string& field, std::int64_t fallback) {
  const auto found = config.find(field);
  if (found != config.end() && found->is_array()) {
    if (found->size() == 2) return get_or(config, field, std::array<std::int64_t, 2>{});
    throw Error(ErrorKind::model, fmt::format("field \"{}\": expected one number or two (height, width), found {}",
                                              field, found->dump()));
  }
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
