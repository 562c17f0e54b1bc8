// models/vit_timm.h: ViT and DeiT as timm publishes them: the arguments of its classes. The names are our own.
#pragma once

#include "models/registry.h"
#include "models/vit.h"

namespace nunchi::models {

// `arguments` of timm's VisionTransformer, or of VisionTransformerDistilled, with the class's defaults for those left
// out.
VitConfig vit_config_from_timm(const Source& source);

Built build_vit(const Source& source);  // of any publisher

}  // namespace nunchi::models
