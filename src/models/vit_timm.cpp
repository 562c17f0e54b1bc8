#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "models/vit_publishers.h"

namespace nunchi::models {
namespace {

[[noreturn]] void refuse(const std::string& argument, const Json& found, const std::string& supported) {
  throw Error(ErrorKind::model,
              fmt::format("argument \"{}\" of timm's VisionTransformer: {} is not supported; supported: {}", argument,
                          found.dump(), supported));
}

// A layer is given by its name, or with arguments: {"class": name, argument: value}.
struct Layer {
  std::string name;  // in lower case; empty where the class's default is meant
  Json arguments = Json::object();
};

Layer layer_of(const Json& arguments, const std::string& argument) {
  const auto found = arguments.find(argument);
  if (found == arguments.end() || found->is_null()) return {};
  Layer layer;
  if (found->is_object()) layer.arguments = *found;
  layer.name =
      found->is_object() ? get_or<std::string>(*found, "class", "") : get_or<std::string>(arguments, argument, "");
  std::ranges::transform(layer.name, layer.name.begin(), [](unsigned char c) { return std::tolower(c); });
  layer.arguments.erase("class");
  return layer;
}

// The first layers of a ResNet alone before the patches. Whole ResNets (R26, R50) and MobileCLIP's stem are others.
bool has_hybrid_stem(const Json& arguments) {
  const auto layer = layer_of(arguments, "embed_layer");
  return layer.name == "hybridembed" && layer.arguments == Json{{"backbone", {{"class", "Sequential"}}}};
}

// Everything that VisionTransformer takes. What only training reads is let pass.
void check_arguments(const Json& arguments) {
  static const std::set<std::string> read = {"img_size",
                                             "patch_size",
                                             "in_chans",
                                             "num_classes",
                                             "global_pool",
                                             "embed_dim",
                                             "depth",
                                             "num_heads",
                                             "mlp_ratio",
                                             "qkv_bias",
                                             "qk_norm",
                                             "scale_attn_norm",
                                             "scale_mlp_norm",
                                             "proj_bias",
                                             "init_values",
                                             "class_token",
                                             "pos_embed",
                                             "no_embed_class",
                                             "reg_tokens",
                                             "pre_norm",
                                             "final_norm",
                                             "fc_norm",
                                             "pool_include_prefix",
                                             "dynamic_img_size",
                                             "dynamic_img_pad",
                                             "embed_layer",
                                             "embed_norm_layer",
                                             "norm_layer",
                                             "act_layer",
                                             "block_fn",
                                             "mlp_layer",
                                             "attn_layer"};
  static const std::set<std::string> of_training = {
      "drop_rate",   "pos_drop_rate", "patch_drop_rate", "proj_drop_rate", "attn_drop_rate", "drop_path_rate",
      "weight_init", "fix_init",      "device",          "dtype",          "strict_img_size"};
  for (const auto& [name, value] : arguments.items()) {
    if (!read.contains(name) && !of_training.contains(name))
      refuse(name, value, "the arguments of timm 1.0, as nunchi implements them");
  }
}

void check_parts(const Json& arguments) {
  std::map<std::string, std::set<std::string>> known = {
      {"embed_layer", {"", "patchembed"}}, {"block_fn", {"", "block"}}, {"attn_layer", {"", "attn", "attention"}}};
  if (has_hybrid_stem(arguments)) known.erase("embed_layer");
  for (const auto& [argument, names] : known) {
    const auto layer = layer_of(arguments, argument);
    if (!names.contains(layer.name) || !layer.arguments.empty()) refuse(argument, arguments[argument], *names.rbegin());
  }
}

std::pair<nn::NormKind, double> norm_of(const Json& arguments, const std::string& argument) {
  const auto layer = layer_of(arguments, argument);
  const bool plain = layer.name.empty() || layer.name == "layernorm" || layer.name == "layernormfp32";
  const bool rms = layer.name == "rmsnorm" || layer.name == "rmsnormfp32";
  const bool only_eps = layer.arguments.size() == layer.arguments.contains("eps");
  if ((!plain && !rms) || !only_eps) refuse(argument, arguments[argument], "LayerNorm and RmsNorm, with \"eps\"");
  return {rms ? nn::NormKind::rms : nn::NormKind::layer, get_or(layer.arguments, "eps", 1e-6)};
}

ops::Activation activation_of(const Json& arguments) {
  const auto layer = layer_of(arguments, "act_layer");
  if (!layer.arguments.empty()) refuse("act_layer", arguments["act_layer"], "names without arguments");
  if (layer.name == "gelutanh") return ops::Activation::gelu_tanh;
  if (layer.name == "quickgelu") return ops::Activation::quick_gelu;
  return layer.name.empty() ? ops::Activation::gelu : ops::activation_from_name(layer.name);
}

// Gated MLPs: one projection for gate and value (GluMlp), of which `hidden` is the width, or two (SwiGLU).
enum class MlpLayer { plain, packed, split };

MlpLayer mlp_layer_of(const Json& arguments) {
  const auto layer = layer_of(arguments, "mlp_layer");
  if (layer.name.empty() || layer.name == "mlp") return MlpLayer::plain;
  const bool gate_first = layer.name == "swiglupacked" || !get_or(layer.arguments, "gate_last", true);
  const bool packed = (layer.name == "glumlp" || layer.name == "swiglupacked") && gate_first;
  if (!packed && layer.name != "swiglu")
    refuse("mlp_layer", arguments["mlp_layer"], "Mlp, SwiGLU, and GluMlp with gate_last false");
  return packed ? MlpLayer::packed : MlpLayer::split;
}

void add_mlp(VitConfig& vit, const Json& arguments) {
  const auto hidden = static_cast<std::int64_t>(static_cast<double>(vit.dim) *
                                                std::clamp(get_or(arguments, "mlp_ratio", 4.0), 0., 1e6));
  const auto layer = mlp_layer_of(arguments);
  vit.swiglu = layer != MlpLayer::plain;
  vit.mlp_dim = layer == MlpLayer::packed ? hidden / 2 : hidden;
  if (!vit.swiglu) return;
  if (vit.activation != ops::Activation::silu)
    refuse("act_layer", arguments.value("act_layer", Json("gelu")), "silu in a gated MLP");
  if (layer == MlpLayer::packed && vit.pooling == Pooling::attention)
    refuse("global_pool", "map", "the other kinds with a GluMlp");
}

Pooling pooling_of(const Json& arguments) {
  static const std::map<std::string, Pooling> kinds = {{"token", Pooling::cls},     {"avg", Pooling::mean},
                                                       {"max", Pooling::max},       {"avgmax", Pooling::mean_and_max},
                                                       {"map", Pooling::attention}, {"", Pooling::none}};
  const auto name = get_or<std::string>(arguments, "global_pool", "token");
  const auto found = kinds.find(name);
  if (found == kinds.end()) refuse("global_pool", name, "token, avg, max, avgmax, map and none (\"\")");
  return found->second;
}

void add_pooling(VitConfig& vit, const Json& arguments) {
  vit.pooling = pooling_of(arguments);
  vit.pooler = Pooler::head_input;
  vit.pool_prefix = get_or(arguments, "pool_include_prefix", false);
  vit.final_norm = get_or(arguments, "final_norm", true);
  const bool averages =
      vit.pooling == Pooling::mean || vit.pooling == Pooling::max || vit.pooling == Pooling::mean_and_max;
  vit.norm_after_pooling = get_or(arguments, "fc_norm", averages);
  if (vit.pooling == Pooling::cls && !vit.class_token)
    refuse("global_pool", "token", "avg, max, map without class token");
}

void add_positions(VitConfig& vit, const Json& arguments) {
  const auto kind = get_or<std::string>(arguments, "pos_embed", "learn");
  if (kind != "learn" && kind != "none" && !kind.empty()) refuse("pos_embed", kind, "learn and none");
  vit.positions = kind == "learn" ? Positions::learned : Positions::none;
  vit.position_rows = get_or(arguments, "no_embed_class", false) ? PositionRows::patches : PositionRows::all;
  vit.interpolation.antialias = true;
  vit.left_over = get_or(arguments, "dynamic_img_pad", false) ? LeftOver::padded : LeftOver::refused;
}

// A file may hold positions of another picture size than its config says.
void add_stored_grid(VitConfig& vit, const Source& source) {
  const auto table = source.shape("pos_embed");
  if (!table || table->size() != 3 || source.sizes_from_shapes) return;
  const auto stored = table->at(1) - vit.prefix_rows();
  const auto side = std::llround(std::sqrt(static_cast<double>(std::max<std::int64_t>(stored, 0))));
  if (side > 0 && side * side == stored && stored != vit.grid()[0] * vit.grid()[1]) vit.stored_grid = {side, side};
}

void add_norms(VitConfig& vit, const Json& arguments) {
  std::tie(vit.norm_kind, vit.eps) = norm_of(arguments, "norm_layer");
  vit.norm_queries_and_keys = get_or(arguments, "qk_norm", false);
  vit.norm_branches = get_or(arguments, "scale_attn_norm", false);
  if (vit.norm_branches != get_or(arguments, "scale_mlp_norm", false))
    refuse("scale_attn_norm", vit.norm_branches, "the same value as scale_mlp_norm");
  vit.norm_before_blocks = get_or(arguments, "pre_norm", false);
  vit.patch_bias = !vit.norm_before_blocks;
  vit.norm_patches = !layer_of(arguments, "embed_norm_layer").name.empty();
  if (vit.norm_patches && norm_of(arguments, "embed_norm_layer") != norm_of(arguments, "norm_layer"))
    refuse("embed_norm_layer", arguments["embed_norm_layer"], "none, or what norm_layer is");
}

void add_distillation(VitConfig& vit) {
  vit.distillation = vit.teacher_head = true;
  const bool usual = vit.class_token && vit.registers == 0 && vit.position_rows == PositionRows::all &&
                     vit.pooling == Pooling::cls && !vit.norm_after_pooling;
  if (!usual)
    refuse("class_token, reg_tokens, no_embed_class, global_pool or fc_norm", true, "the defaults, distilled");
}

}  // namespace

VitDescription describe_timm_vit(const Source& source) {
  const Json& arguments = source.config;
  check_arguments(arguments);
  check_parts(arguments);
  VitConfig vit;
  vit.image_size = pair_or(arguments, "img_size", 224);
  vit.patch = pair_or(arguments, "patch_size", 16);
  check_sizes(Json::object(), {vit.patch[0], vit.patch[1]});
  vit.hybrid_stem = has_hybrid_stem(arguments);
  if (vit.hybrid_stem) vit.patch = {vit.patch[0] * nn::HybridStem::stride, vit.patch[1] * nn::HybridStem::stride};
  vit.channels = get_or<std::int64_t>(arguments, "in_chans", 3);
  vit.classes = get_or<std::int64_t>(arguments, "num_classes", 1000);
  vit.dim = get_or<std::int64_t>(arguments, "embed_dim", 768);
  vit.depth = get_or<std::int64_t>(arguments, "depth", 12);
  vit.heads = get_or<std::int64_t>(arguments, "num_heads", 12);
  vit.qkv_bias = get_or(arguments, "qkv_bias", true);
  vit.projection_bias = get_or(arguments, "proj_bias", true);
  vit.layer_scale = get_or(arguments, "init_values", 0.0) != 0;
  vit.class_token = get_or(arguments, "class_token", true);
  vit.registers = get_or<std::int64_t>(arguments, "reg_tokens", 0);
  vit.activation = activation_of(arguments);
  vit.head_dropout = get_or(arguments, "drop_rate", 0.0);
  vit.embedding_dropout = get_or(arguments, "pos_drop_rate", 0.0);
  vit.dropout = vit.projection_dropout = get_or(arguments, "proj_drop_rate", 0.0);
  vit.attention_dropout = get_or(arguments, "attn_drop_rate", 0.0);
  vit.drop_path = get_or(arguments, "drop_path_rate", 0.0);
  add_norms(vit, arguments);
  add_positions(vit, arguments);
  add_pooling(vit, arguments);
  add_mlp(vit, arguments);
  if (source.name == "VisionTransformerDistilled") add_distillation(vit);
  add_stored_grid(vit, source);

  weights::KeyTable keys;  // the names are our own, but for a gate apart
  if (mlp_layer_of(arguments) == MlpLayer::split)
    keys.rules = {{"blocks.*.mlp.fc1.*", {"blocks.*.mlp.fc1_g.*", "blocks.*.mlp.fc1_x.*"}}};
  return {vit, keys};
}

}  // namespace nunchi::models
