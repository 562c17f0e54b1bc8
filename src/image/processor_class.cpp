#include "image/processor_class.h"

#include <algorithm>
#include <utility>

namespace nunchi::image {
namespace {

struct Statistics {
  Three mean, std;
};
constexpr Statistics halves{half, half}, imagenet{imagenet_mean, imagenet_std}, clip{clip_mean, clip_std};

constexpr ProcessorClass square(std::string_view name, int edge, const Statistics& statistics,
                                Filter filter = Filter::bicubic) {
  return {.name = name, .filter = filter, .edge = edge, .mean = statistics.mean, .std = statistics.std};
}

constexpr ProcessorClass may_crop(ProcessorClass type, int crop, bool crops = false) {
  type.crop = crop;
  type.crops = crops;
  return type;
}

constexpr ProcessorClass shortest_edge(ProcessorClass type) {
  type.mode = ResizeMode::shortest_edge;
  type.int_is_square = false;
  return type;
}

constexpr ProcessorClass cropped(std::string_view name, int edge, int crop, const Statistics& statistics,
                                 Filter filter = Filter::bicubic) {
  return may_crop(shortest_edge(square(name, edge, statistics, filter)), crop, /* crops */ true);
}

constexpr ProcessorClass with(Quirk quirk, ProcessorClass type) {
  type.quirk = quirk;
  return type;
}

constexpr ProcessorClass detr(std::string_view name) {
  ProcessorClass type = with(Quirk::max_size, shortest_edge(square(name, 800, imagenet, Filter::bilinear)));
  type.longest = 1333;
  return type;
}

constexpr ProcessorClass mobilevit() {
  ProcessorClass type = with(Quirk::bgr, cropped("MobileViTImageProcessor", 224, 256, halves));
  type.normalizes = false;
  return type;
}

constexpr ProcessorClass rt_detr() {
  ProcessorClass type = with(Quirk::max_size, square("RTDetrImageProcessor", 640, imagenet, Filter::bilinear));
  type.int_is_square = false;
  type.normalizes = false;
  return type;
}

constexpr ProcessorClass sam() {
  ProcessorClass type = square("SamImageProcessor", 1024, imagenet, Filter::bilinear);
  type.mode = ResizeMode::longest_edge;
  type.pad = 1024;
  return type;
}

constexpr ProcessorClass siglip() {
  ProcessorClass type = square("SiglipImageProcessor", 224, halves);
  type.int_is_square = false;
  return type;
}

// transformers 5.23, models/*/image_processing_pil_*.py.
constexpr ProcessorClass classes[] = {
    may_crop(square("BeitImageProcessor", 224, halves), 224),
    cropped("BitImageProcessor", 224, 224, clip),
    square("BlipImageProcessor", 384, clip),
    cropped("CLIPImageProcessor", 224, 224, clip),
    cropped("ChineseCLIPImageProcessor", 224, 224, clip),
    detr("ConditionalDetrImageProcessor"),
    with(Quirk::crop_pct_below_384, shortest_edge(square("ConvNextImageProcessor", 384, halves))),
    detr("DeformableDetrImageProcessor"),
    may_crop(square("DeiTImageProcessor", 256, halves), 224, /* crops */ true),
    detr("DetrImageProcessor"),
    with(Quirk::scales_first, square("DINOv3ViTImageProcessor", 224, imagenet, Filter::bilinear)),
    with(Quirk::second_std, may_crop(square("EfficientNetImageProcessor", 346, halves), 289)),
    detr("GroundingDinoImageProcessor"),
    with(Quirk::fixed_crop_pct, cropped("LevitImageProcessor", 224, 224, imagenet)),
    cropped("MobileNetV1ImageProcessor", 256, 224, halves, Filter::bilinear),
    cropped("MobileNetV2ImageProcessor", 256, 224, halves, Filter::bilinear),
    mobilevit(),
    may_crop(square("OwlViTImageProcessor", 768, clip), 768),
    with(Quirk::crop_pct, cropped("PoolFormerImageProcessor", 224, 224, imagenet)),
    square("PvtImageProcessor", 224, imagenet),
    rt_detr(),
    sam(),
    with(Quirk::never_crops, square("SegformerImageProcessor", 512, imagenet, Filter::bilinear)),
    siglip(),
    square("ViTImageProcessor", 224, halves, Filter::bilinear),
};

// transformers' IMAGE_PROCESSOR_MAPPING_NAMES, for files that name no class.
// clang-format off
constexpr std::pair<std::string_view, std::string_view> model_types[] = {
    {"beit", "BeitImageProcessor"}, {"data2vec-vision", "BeitImageProcessor"},
    {"bit", "BitImageProcessor"}, {"dinov2", "BitImageProcessor"}, {"dinov2_with_registers", "BitImageProcessor"},
    {"dinov3_vit", "DINOv3ViTImageProcessor"}, {"dinov3_convnext", "DINOv3ViTImageProcessor"},
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
    {"segformer", "SegformerImageProcessor"}, {"upernet", "SegformerImageProcessor"},
    {"siglip", "SiglipImageProcessor"},
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
