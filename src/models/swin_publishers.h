// models/swin_publishers.h: Swin and Swin v2 as each publisher describes and names them.
#pragma once

#include "models/registry.h"
#include "models/swin.h"

namespace nunchi::models {

// config.json of a "swin" or "swinv2" of transformers, with each class's defaults for fields left out.
SwinConfig swin_config_from_transformers(const Source& source);
weights::KeyTable swin_keys_of_transformers(const Source& source, const SwinConfig& config);

// Arguments of timm's SwinTransformer or SwinTransformerV2. Its files from before 0.9, and those of the authors, have
// the merging at the end of a stage, and other heads.
SwinConfig swin_config_from_timm(const Source& source);
weights::KeyTable swin_keys_of_timm(const Source& source, const SwinConfig& config);

// Arguments of torchvision's SwinTransformer, of both versions.
SwinConfig swin_config_from_torchvision(const Source& source);
weights::KeyTable swin_keys_of_torchvision(const SwinConfig& config);

// For a file of weights alone: widths, depths, heads, windows and classes as its tensors have them.
void take_sizes_from_shapes(SwinConfig& swin, const Source& source, const weights::KeyTable& keys);

Built build_swin(const Source& source);  // of any publisher

}  // namespace nunchi::models
