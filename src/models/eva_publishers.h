// models/eva_publishers.h: EVA and DINOv3 as timm and Hugging Face transformers publish them: configurations and names.
#pragma once

#include "models/eva.h"
#include "models/registry.h"

namespace nunchi::models {

struct EvaDescription {
  EvaConfig config;
  weights::KeyTable keys;
};

// The arguments of timm's Eva. Throws Error (model) for those that are not implemented.
EvaDescription describe_timm_eva(const Source& source);

// config.json of model_type "dinov3_vit", with the class's defaults for what is left out.
EvaDescription describe_dinov3(const Source& source);

Built build_eva(const Source& source);  // of either publisher

}  // namespace nunchi::models
