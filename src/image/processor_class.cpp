#include "image/processor_class.h"

#include <algorithm>
#include <utility>

namespace nunchi::image {
namespace {

constexpr auto exact = ResizeMode::exact;
constexpr auto shortest = ResizeMode::shortest_edge;

// transformers 5.23, models/*/image_processing_pil_*.py.
// clang-format off
constexpr ProcessorClass classes[] = {
    {.name = "BeitImageProcessor", .crop = 224},
    {.name = "BitImageProcessor", .mode = shortest, .int_is_square = false, .crop = 224, .crops = true, .mean = clip_mean, .std = clip_std},
    {.name = "BlipImageProcessor", .edge = 384, .mean = clip_mean, .std = clip_std},
    {.name = "CLIPImageProcessor", .mode = shortest, .int_is_square = false, .crop = 224, .crops = true, .mean = clip_mean, .std = clip_std},
    {.name = "ChineseCLIPImageProcessor", .mode = shortest, .int_is_square = false, .crop = 224, .crops = true, .mean = clip_mean, .std = clip_std},
    {.name = "ConditionalDetrImageProcessor", .filter = Filter::bilinear, .edge = 800, .mode = shortest, .longest = 1333, .int_is_square = false, .mean = imagenet_mean, .std = imagenet_std, .quirk = Quirk::max_size},
    {.name = "ConvNextImageProcessor", .edge = 384, .mode = shortest, .int_is_square = false, .quirk = Quirk::crop_pct_below_384},
    {.name = "DeformableDetrImageProcessor", .filter = Filter::bilinear, .edge = 800, .mode = shortest, .longest = 1333, .int_is_square = false, .mean = imagenet_mean, .std = imagenet_std, .quirk = Quirk::max_size},
    {.name = "DeiTImageProcessor", .edge = 256, .crop = 224, .crops = true},
    {.name = "DetrImageProcessor", .filter = Filter::bilinear, .edge = 800, .mode = shortest, .longest = 1333, .int_is_square = false, .mean = imagenet_mean, .std = imagenet_std, .quirk = Quirk::max_size},
    {.name = "EfficientNetImageProcessor", .edge = 346, .crop = 289, .quirk = Quirk::second_std},
    {.name = "GroundingDinoImageProcessor", .filter = Filter::bilinear, .edge = 800, .mode = shortest, .longest = 1333, .int_is_square = false, .mean = imagenet_mean, .std = imagenet_std, .quirk = Quirk::max_size},
    {.name = "LevitImageProcessor", .mode = shortest, .int_is_square = false, .crop = 224, .crops = true, .mean = imagenet_mean, .std = imagenet_std, .quirk = Quirk::fixed_crop_pct},
    {.name = "MobileNetV1ImageProcessor", .filter = Filter::bilinear, .edge = 256, .mode = shortest, .int_is_square = false, .crop = 224, .crops = true},
    {.name = "MobileNetV2ImageProcessor", .filter = Filter::bilinear, .edge = 256, .mode = shortest, .int_is_square = false, .crop = 224, .crops = true},
    {.name = "MobileViTImageProcessor", .mode = shortest, .int_is_square = false, .crop = 256, .crops = true, .normalizes = false, .quirk = Quirk::bgr},
    {.name = "OwlViTImageProcessor", .edge = 768, .crop = 768, .mean = clip_mean, .std = clip_std},
    {.name = "PoolFormerImageProcessor", .mode = shortest, .int_is_square = false, .crop = 224, .crops = true, .mean = imagenet_mean, .std = imagenet_std, .quirk = Quirk::crop_pct},
    {.name = "PvtImageProcessor", .mean = imagenet_mean, .std = imagenet_std},
    {.name = "RTDetrImageProcessor", .filter = Filter::bilinear, .edge = 640, .int_is_square = false, .normalizes = false, .mean = imagenet_mean, .std = imagenet_std, .quirk = Quirk::max_size},
    {.name = "SamImageProcessor", .filter = Filter::bilinear, .edge = 1024, .mode = ResizeMode::longest_edge, .mean = imagenet_mean, .std = imagenet_std, .pad = 1024},
    {.name = "SegformerImageProcessor", .filter = Filter::bilinear, .edge = 512, .mean = imagenet_mean, .std = imagenet_std, .quirk = Quirk::never_crops},
    {.name = "SiglipImageProcessor", .int_is_square = false},
    {.name = "ViTImageProcessor", .filter = Filter::bilinear},
};

// transformers' IMAGE_PROCESSOR_MAPPING_NAMES, for files that name no class.
constexpr std::pair<std::string_view, std::string_view> model_types[] = {
    {"beit", "BeitImageProcessor"}, {"data2vec-vision", "BeitImageProcessor"},
    {"bit", "BitImageProcessor"}, {"dinov2", "BitImageProcessor"}, {"dinov2_with_registers", "BitImageProcessor"},
    {"focalnet", "BitImageProcessor"}, {"hiera", "BitImageProcessor"},
    {"blip", "BlipImageProcessor"}, {"chinese_clip", "ChineseCLIPImageProcessor"},
    {"clip", "CLIPImageProcessor"}, {"altclip", "CLIPImageProcessor"}, {"groupvit", "CLIPImageProcessor"},
    {"git", "CLIPImageProcessor"},
    {"conditional_detr", "ConditionalDetrImageProcessor"}, {"deformable_detr", "DeformableDetrImageProcessor"},
    {"detr", "DetrImageProcessor"}, {"table-transformer", "DetrImageProcessor"},
    {"grounding-dino", "GroundingDinoImageProcessor"}, {"rt_detr", "RTDetrImageProcessor"},
    {"convnext", "ConvNextImageProcessor"}, {"convnextv2", "ConvNextImageProcessor"}, {"cvt", "ConvNextImageProcessor"},
    {"regnet", "ConvNextImageProcessor"}, {"resnet", "ConvNextImageProcessor"},
    {"deit", "DeiTImageProcessor"}, {"efficientnet", "EfficientNetImageProcessor"}, {"levit", "LevitImageProcessor"},
    {"mobilenet_v1", "MobileNetV1ImageProcessor"}, {"mobilenet_v2", "MobileNetV2ImageProcessor"},
    {"mobilevit", "MobileViTImageProcessor"}, {"mobilevitv2", "MobileViTImageProcessor"},
    {"owlvit", "OwlViTImageProcessor"}, {"poolformer", "PoolFormerImageProcessor"},
    {"pvt", "PvtImageProcessor"}, {"pvt_v2", "PvtImageProcessor"}, {"sam", "SamImageProcessor"},
    {"segformer", "SegformerImageProcessor"}, {"upernet", "SegformerImageProcessor"}, {"siglip", "SiglipImageProcessor"},
    {"vit", "ViTImageProcessor"}, {"ijepa", "ViTImageProcessor"}, {"swin", "ViTImageProcessor"},
    {"swinv2", "ViTImageProcessor"}, {"swiftformer", "ViTImageProcessor"}, {"vit_mae", "ViTImageProcessor"},
    {"vit_msn", "ViTImageProcessor"}, {"dinat", "ViTImageProcessor"},
};
// clang-format on

}  // namespace

const ProcessorClass* find_processor_class(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(classes), std::end(classes), [&](const auto& c) { return c.name == name; });
  return found != std::end(classes) ? found : nullptr;
}

const ProcessorClass* find_processor_class_of_model(std::string_view model_type) {
  for (const auto& [type, name] : model_types) {
    if (type == model_type) return find_processor_class(name);
  }
  return nullptr;
}

std::string known_processor_classes() {
  std::string names;
  for (const ProcessorClass& known : classes) names += (names.empty() ? "" : ", ") + std::string(known.name);
  return names;
}

}  // namespace nunchi::image
