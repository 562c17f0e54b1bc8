#include "models/vit_timm.h"

#include "models/vit_transformers.h"

namespace nunchi::models {

VitConfig vit_config_from_timm(const Source& source) {
  const Json& arguments = source.config;
  VitConfig vit;
  vit.image_size = pair_or(arguments, "img_size", 224);
  vit.patch = pair_or(arguments, "patch_size", 16);
  vit.channels = get_or<std::int64_t>(arguments, "in_chans", 3);
  vit.dim = get_or<std::int64_t>(arguments, "embed_dim", 768);
  vit.depth = get_or<std::int64_t>(arguments, "depth", 12);
  vit.heads = get_or<std::int64_t>(arguments, "num_heads", 12);
  vit.mlp_dim = static_cast<std::int64_t>(static_cast<double>(vit.dim) * get_or(arguments, "mlp_ratio", 4.0));
  vit.classes = source.classes.value_or(get_or<std::int64_t>(arguments, "num_classes", 1000));
  vit.distillation = vit.teacher_head = source.name == "VisionTransformerDistilled";
  vit.qkv_bias = get_or(arguments, "qkv_bias", true);
  vit.antialias_positions = true;
  return vit;
}

Built build_vit(const Source& source) {
  if (source.publisher == Publisher::transformers) {
    const auto config = vit_config_from_transformers(source);
    return {std::make_unique<Vit>(config), vit_keys_of_transformers(config, key_style(source)), {"head", "head_dist"}};
  }
  return {std::make_unique<Vit>(vit_config_from_timm(source)), {}, {"head", "head_dist"}};
}

}  // namespace nunchi::models
