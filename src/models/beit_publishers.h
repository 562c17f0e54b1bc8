// models/beit_publishers.h: BEiT as Hugging Face transformers and timm publish it: configurations and names.
#pragma once

#include "models/beit.h"
#include "models/registry.h"

namespace nunchi::models {

// config.json of model_type "beit" or "data2vec-vision", with the class's defaults for what is left out.
BeitConfig beit_config_from_transformers(const Source& source);

// The arguments of timm's Beit.
BeitConfig beit_config_from_timm(const Source& source);

Built build_beit(const Source& source);  // of either publisher

}  // namespace nunchi::models
