// models/vit_transformers.h: ViT, DeiT and DINOv2 as Hugging Face transformers publishes them: config.json and names.
#pragma once

#include "core/json.h"
#include "models/registry.h"
#include "models/vit.h"

namespace nunchi::models {

// Fields of config.json, with each class's defaults for those left out. `head` decides about classifier and teacher
// head.
VitConfig vit_config_from_transformers(const Source& source);

// The hub's names; those of transformers 5's own modules; and the hub's as transformers 5 writes ViTMSN's classifier,
// whose blocks lack the prefix that the rest of the backbone has.
enum class KeyStyle { hub, renamed, blocks_without_prefix };
KeyStyle key_style(const Source& source);

weights::KeyTable vit_keys_of_transformers(const VitConfig& config, KeyStyle style = KeyStyle::hub);

}  // namespace nunchi::models
