// models/convnext_publishers.h: ConvNeXt and ConvNeXt V2 as transformers, timm and torchvision publish them.
#pragma once

#include "models/convnext.h"
#include "models/registry.h"

namespace nunchi::models {

ConvNextConfig convnext_config_from_transformers(const Source& source);

// `arguments` of timm's ConvNeXt or of torchvision's, with the class's defaults for those left out.
ConvNextConfig convnext_config_from_timm(const Source& source);
ConvNextConfig convnext_config_from_torchvision(const Source& source);

Built build_convnext(const Source& source);  // of any publisher

}  // namespace nunchi::models
