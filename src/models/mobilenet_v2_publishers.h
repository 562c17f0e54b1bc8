// models/mobilenet_v2_publishers.h: MobileNetV2 as transformers, timm and torchvision publish it.
#pragma once

#include "models/mobilenet_v2.h"
#include "models/registry.h"

namespace nunchi::models {

MobileNetV2Config mobilenet_v2_config_from_transformers(const Source& source);

// `arguments` of timm's generator of MobileNetV2, or of torchvision's class.
MobileNetV2Config mobilenet_v2_config_from_arguments(const Source& source);

Built build_mobilenet_v2(const Source& source);  // of any publisher

}  // namespace nunchi::models
