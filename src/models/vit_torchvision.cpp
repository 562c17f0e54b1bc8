#include <fmt/format.h>

#include "models/vit_publishers.h"

namespace nunchi::models {
namespace {

VitConfig config_of(const Json& arguments) {
  VitConfig vit;
  vit.image_size = pair_or(arguments, "image_size", 224);
  vit.patch = pair_or(arguments, "patch_size", 16);
  vit.classes = get_or<std::int64_t>(arguments, "num_classes", 1000);
  vit.dim = get_or<std::int64_t>(arguments, "hidden_dim", 768);
  vit.depth = get_or<std::int64_t>(arguments, "num_layers", 12);
  vit.heads = get_or<std::int64_t>(arguments, "num_heads", 12);
  vit.mlp_dim = get_or<std::int64_t>(arguments, "mlp_dim", 3072);
  vit.dropout = vit.projection_dropout = vit.embedding_dropout = get_or(arguments, "dropout", 0.0);
  vit.attention_dropout = get_or(arguments, "attention_dropout", 0.0);
  vit.interpolation.align_corners = true;
  vit.left_over = LeftOver::refused;
  vit.pooler = Pooler::head_input;
  return vit;
}

}  // namespace

VitDescription describe_torchvision_vit(const Source& source) {
  for (const char* argument : {"representation_size", "conv_stem_configs"}) {
    if (!source.config.value(argument, Json()).is_null()) {
      throw Error(ErrorKind::model,
                  fmt::format("argument \"{}\" of torchvision's VisionTransformer is not supported", argument));
    }
  }
  const bool old_names = source.has_key("encoder.layers.encoder_layer_0.mlp.linear_1.weight");
  const std::string layer = "encoder.layers.encoder_layer_*.";
  weights::KeyTable keys;
  keys.rules = {
      {"cls_token", {"class_token"}},
      {"pos_embed", {"encoder.pos_embedding"}},
      {"patch_embed.proj.*", {"conv_proj.*"}},
      {"blocks.*.norm1.*", {layer + "ln_1.*"}},
      {"blocks.*.attn.qkv.weight", {layer + "self_attention.in_proj_weight"}},
      {"blocks.*.attn.qkv.bias", {layer + "self_attention.in_proj_bias"}},
      {"blocks.*.attn.proj.*", {layer + "self_attention.out_proj.*"}},
      {"blocks.*.norm2.*", {layer + "ln_2.*"}},
      {"blocks.*.mlp.fc1.*", {layer + (old_names ? "mlp.linear_1.*" : "mlp.0.*")}},
      {"blocks.*.mlp.fc2.*", {layer + (old_names ? "mlp.linear_2.*" : "mlp.3.*")}},
      {"norm.*", {"encoder.ln.*"}},
      {"head.*", {"heads.head.*"}},
  };
  return {config_of(source.config), keys};
}

}  // namespace nunchi::models
