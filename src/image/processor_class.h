// image/processor_class.h: transformers' image processor classes: the defaults of each, for fields that a file omits.
//
//   const ProcessorClass* found = find_processor_class("ViTImageProcessor");   // nullptr where it is not known
//   find_processor_class_of_model("dinov2")->name                              // "BitImageProcessor"
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "image/transform.h"
#include "image/transform_fields.h"

namespace nunchi::image {

// What a class does differently from the common steps.
enum class Quirk {
  none,
  crop_pct_below_384,  // ConvNext: from 384 on it squeezes to a square instead
  crop_pct,            // PoolFormer
  fixed_crop_pct,      // LeViT: 224 / 256
  second_std,          // EfficientNet
  bgr,                 // MobileViT: flips channels, never normalises
  never_crops,         // Segformer
  scales_first,        // DINOv3: on torchvision only, and scaled before it is resized
  max_size,            // DETR and its relatives: an old file's "max_size" caps the longer side
};

struct ProcessorClass {
  std::string_view name;  // as in "image_processor_type"
  Filter filter = Filter::bicubic;
  int edge = 224;  // size: a square, or the shortest edge, or (longest_edge) the longest
  ResizeMode mode = ResizeMode::exact;
  std::optional<int> longest;  // cap beside the shortest edge
  bool int_is_square = true;   // what one number means in an old file
  std::optional<int> crop;     // square
  bool crops = false;
  bool normalizes = true;
  Three mean = half, std = half;
  std::optional<int> pad;  // square
  Quirk quirk = Quirk::none;
};

const ProcessorClass* find_processor_class(std::string_view name);
const ProcessorClass* find_processor_class_of_model(std::string_view model_type);

// "BeitImageProcessor, BitImageProcessor, ...".
std::string known_processor_classes();

}  // namespace nunchi::image
