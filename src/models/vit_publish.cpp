// A ViT in the words of transformers and timm.
#include "models/publish.h"
#include "models/vit_publishers.h"
#include "models/vit_transformers.h"

namespace nunchi::models {
namespace {

void check_common(const PublishCheck& check, const VitConfig& vit) {
  check(!vit.patch_norms, "norms inside the patch embedding");
  check(vit.head_dim.value_or(vit.dim / vit.heads) * vit.heads == vit.dim, "heads of their own width");
  check(vit.positions == Positions::learned, "positions that are not learned");
}

// What only timm's classes have.
void check_plain(const PublishCheck& check, const VitConfig& vit) {
  check(!vit.hybrid_stem, "a stem of convolutions");
  check(vit.norm_kind == nn::NormKind::layer, "RMS norms");
  check(vit.patch_bias && vit.projection_bias, "projections without bias");
  check(!vit.norm_queries_and_keys && !vit.norm_branches, "norms inside the attention");
  check(vit.class_token, "no class token");
  check(!vit.norm_patches && !vit.norm_before_blocks && vit.final_norm && !vit.norm_after_pooling,
        "other norms than before each branch and at the end");
}

Json encoder_of_transformers(const VitConfig& vit) {
  return {{"image_size", one_or_two(vit.image_size)},
          {"patch_size", one_or_two(vit.patch)},
          {"num_channels", vit.channels},
          {"hidden_size", vit.dim},
          {"num_hidden_layers", vit.depth},
          {"num_attention_heads", vit.heads},
          {"hidden_act", transformers_name(vit.activation)},
          {"layer_norm_eps", vit.eps},
          {"qkv_bias", vit.qkv_bias}};
}

Published as_dinov2(const VitConfig& vit) {
  const PublishCheck check("transformers' Dinov2");
  check(vit.classes == 0 || vit.pooling == Pooling::cls_and_mean, "a head that reads other tokens");
  check(!vit.distillation, "a distillation token beside a layer scale");
  check(vit.registers == 0 || vit.position_rows == PositionRows::without_registers,
        "register tokens beside positions without a row for the class token");
  const std::string type = vit.registers > 0 ? "dinov2_with_registers" : "dinov2";
  const std::string name = vit.registers > 0 ? "Dinov2WithRegisters" : "Dinov2";
  Json config = encoder_of_transformers(vit);
  config.erase("intermediate_size");
  config["model_type"] = type;
  config["architectures"] = {name + (vit.classes > 0 ? "ForImageClassification" : "Model")};
  config["use_swiglu_ffn"] = vit.swiglu;
  const auto hidden = vit.swiglu ? vit.mlp_dim * 3 / 2 : vit.mlp_dim;
  check(hidden % vit.dim == 0, "an MLP whose width is no multiple of the tokens'");
  config["mlp_ratio"] = hidden / vit.dim;
  if (vit.registers > 0) config["num_register_tokens"] = vit.registers;
  return {std::move(config), vit_keys_of_transformers(vit), ""};
}

Published as_vit(const VitConfig& vit) {
  const PublishCheck check("transformers' ViT");
  check(vit.registers == 0, "register tokens");
  check(!vit.swiglu, "a gated MLP");
  check(vit.classes == 0 || vit.pooling == Pooling::cls, "a head that reads other tokens than the first");
  const std::string name = vit.distillation ? "DeiT" : "ViT";
  Json config = encoder_of_transformers(vit);
  config["model_type"] = vit.distillation ? "deit" : "vit";
  config["architectures"] = {name + (vit.classes == 0   ? "Model"
                                     : vit.teacher_head ? "ForImageClassificationWithTeacher"
                                                        : "ForImageClassification")};
  config["intermediate_size"] = vit.mlp_dim;
  return {std::move(config), vit_keys_of_transformers(vit), ""};
}

Published as_transformers(VitConfig vit) {
  const PublishCheck check("transformers' ViT");
  check_common(check, vit);
  check_plain(check, vit);
  if (vit.pooler == Pooler::head_input) vit.pooler = Pooler::none;  // timm's name for what the head reads
  auto published = vit.layer_scale ? as_dinov2(vit) : as_vit(vit);
  const auto type = get_or<std::string>(published.config, "model_type", "");
  published.prefix = vit.classes > 0 ? type + "." : "";
  return published;
}

std::string pool_of_timm(const PublishCheck& check, const VitConfig& vit) {
  switch (vit.pooling) {
    case Pooling::cls:
      return "token";
    case Pooling::mean:
      return "avg";
    case Pooling::max:
      return "max";
    case Pooling::mean_and_max:
      return "avgmax";
    case Pooling::attention:
      return "map";
    case Pooling::none:
      return "";
    case Pooling::cls_and_mean:
      check(vit.classes == 0, "a head that reads the class token beside the mean");
      return "token";
  }
  ASSERT(false, "every pooling has its name");
}

Json arguments_of_timm(const PublishCheck& check, const VitConfig& vit) {
  Json arguments = {{"img_size", vit.image_size},
                    {"patch_size", one_or_two(vit.patch_kernel())},
                    {"in_chans", vit.channels},
                    {"num_classes", vit.classes},
                    {"global_pool", pool_of_timm(check, vit)},
                    {"embed_dim", vit.dim},
                    {"depth", vit.depth},
                    {"num_heads", vit.heads},
                    {"mlp_ratio", exact_ratio(vit.swiglu ? 2 * vit.mlp_dim : vit.mlp_dim, vit.dim)},
                    {"qkv_bias", vit.qkv_bias},
                    {"init_values", vit.layer_scale ? Json(1e-5) : Json()}};
  if (!vit.swiglu) arguments["act_layer"] = timm_name(vit.activation);
  if (vit.distillation) return arguments;
  arguments["proj_bias"] = vit.projection_bias;
  arguments["qk_norm"] = vit.norm_queries_and_keys;
  arguments["class_token"] = vit.class_token;
  arguments["reg_tokens"] = vit.registers;
  arguments["no_embed_class"] = vit.position_rows == PositionRows::patches;
  arguments["pre_norm"] = vit.norm_before_blocks;
  arguments["final_norm"] = vit.final_norm;
  arguments["fc_norm"] = vit.norm_after_pooling;
  arguments["pool_include_prefix"] = vit.pool_prefix;
  return arguments;
}

Published as_timm(const VitConfig& vit) {
  const PublishCheck check("timm's VisionTransformer");
  check_common(check, vit);
  check(vit.norm_kind == nn::NormKind::layer && !vit.norm_branches && !vit.norm_patches, "norms of another kind");
  check(vit.registers == 0 || vit.position_rows != PositionRows::without_registers,
        "register tokens beside a position of the class token");
  check(!vit.distillation || vit.teacher_head || vit.classes == 0, "one head beside a distillation token");
  check(vit.patch_bias != vit.norm_before_blocks, "a norm before the blocks beside a bias of the patch embedding");
  Published published;
  published.config = {{"architecture", vit.distillation  ? "deit_base_distilled_patch16_224"
                                       : vit.hybrid_stem ? "vit_tiny_r_s16_p8_224"
                                       : vit.swiglu      ? "vit_giant_patch14_dinov2"
                                                         : "vit_base_patch16_224"},
                      {"model_args", arguments_of_timm(check, vit)}};
  published.keys.rules = {{"pooler.dense.*", {}}};  // timm has no such layer
  if (vit.pooler == Pooler::dense) published.remarks = {"timm has no place for the pooler: it is left out"};
  if (vit.eps != 1e-6) {
    published.remarks.push_back(
        fmt::format("timm's config cannot say that the norms' epsilon is {:g}: it takes 1e-6, which shows only where "
                    "tokens vary by little more than that",
                    vit.eps));
  }
  return published;
}

}  // namespace

Published publish_vit(const Model& model, Publisher publisher) {
  const auto& vit = dynamic_cast<const Vit&>(model).config();
  return publisher == Publisher::timm ? as_timm(vit) : as_transformers(vit);
}

}  // namespace nunchi::models
