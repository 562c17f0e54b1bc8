// models/vit_publishers.h: ViT as timm, torchvision and its authors publish it: the arguments of their classes, and
// their names for the tensors. transformers: models/vit_transformers.h.
#pragma once

#include "models/registry.h"
#include "models/vit.h"

namespace nunchi::models {

struct VitDescription {
  VitConfig config;
  weights::KeyTable keys;
};

// timm's VisionTransformer and VisionTransformerDistilled. Throws Error (model) for an argument that is not
// implemented.
VitDescription describe_timm_vit(const Source& source);

// torchvision's VisionTransformer.
VitDescription describe_torchvision_vit(const Source& source);

// DINO (Caron et al. 2021) and DINOv2 in the files of their authors, with timm's names for the arguments.
VitDescription describe_original_vit(const Source& source);

Built build_vit(const Source& source);  // of any publisher

}  // namespace nunchi::models
