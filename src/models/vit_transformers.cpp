#include "models/vit_transformers.h"

#include <algorithm>

namespace nunchi::models {
namespace {

bool is_dino(const std::string& type) { return type.starts_with("dinov2"); }

// A classification model by its class; by its weights where config.json names none.
bool has_head(const Source& source) {
  const auto classes = get_or(source.config, "architectures", std::vector<std::string>{});
  if (!classes.empty()) return classes.front().find("ForImageClassification") != std::string::npos;
  return source.has_key("classifier.weight") || source.has_key("cls_classifier.weight");
}

bool has_pooler(const Source& source) {
  return source.has_key("pooler.dense.weight") || source.has_key("vit.pooler.dense.weight") ||
         source.has_key("deit.pooler.dense.weight") || source.has_key("ijepa.pooler.dense.weight");
}

double usual_eps(const std::string& type) { return is_dino(type) || type == "vit_msn" ? 1e-6 : 1e-12; }

std::int64_t mlp_dim(const Json& config, const VitConfig& vit, bool dino) {
  if (!dino) return get_or<std::int64_t>(config, "intermediate_size", 3072);
  const auto hidden = static_cast<std::int64_t>(static_cast<double>(vit.dim) * get_or(config, "mlp_ratio", 4.0));
  // Two thirds, rounded up to a multiple of 8, so that the gate costs no extra parameters.
  return vit.swiglu ? (static_cast<std::int64_t>(static_cast<double>(hidden) * 2 / 3) + 7) / 8 * 8 : hidden;
}

void add_dino(VitConfig& vit, const Json& config, const std::string& type) {
  vit.layer_scale = true;
  vit.pooler = Pooler::cls;
  vit.swiglu = get_or(config, "use_swiglu_ffn", false);
  vit.pooling = Pooling::cls_and_mean;
  if (type != "dinov2_with_registers") return;
  vit.registers = get_or<std::int64_t>(config, "num_register_tokens", 4);
  vit.interpolation.antialias = true;
}

// Before any weight is made: a block takes memory even without weights, and products of sizes must not overflow.
void check_vit(const VitConfig& vit, const Json& config) {
  check_sizes(config, {vit.mlp_dim, *vit.head_dim, vit.pooler_dim});
  check_sizes(config, {vit.heads * *vit.head_dim, vit.channels * vit.patch[0] * vit.patch[1]});
  check_sizes(config, {vit.depth}, 1000);
  if (vit.registers != 0) check_sizes(config, {vit.registers});
  if (vit.classes != 0) check_sizes(config, {vit.classes});
}

void add_pooler(VitConfig& vit, const Json& config) {
  const auto width = get_or<std::int64_t>(config, "pooler_output_size", 0);
  vit.pooler = Pooler::dense;
  vit.pooler_dim = width > 0 ? width : vit.dim;
  vit.pooler_activation = ops::activation_from_name(get_or<std::string>(config, "pooler_act", "tanh"));
}

// The blocks as the hub has them.
std::vector<weights::KeyRule> hub_block_rules(const VitConfig& config, const std::string& layer) {
  const std::string attention = layer + "attention.attention.";
  const bool dino = config.layer_scale;
  return {
      {"blocks.*.norm1.*", {layer + (dino ? "norm1.*" : "layernorm_before.*")}},
      {"blocks.*.attn.qkv.*", {attention + "query.*", attention + "key.*", attention + "value.*"}},
      {"blocks.*.attn.proj.*", {layer + "attention.output.dense.*"}},
      {"blocks.*.ls1.gamma", {layer + "layer_scale1.lambda1"}},
      {"blocks.*.norm2.*", {layer + (dino ? "norm2.*" : "layernorm_after.*")}},
      {"blocks.*.mlp.fc1.*",
       {layer + (config.swiglu ? "mlp.weights_in.*"
                 : dino        ? "mlp.fc1.*"
                               : "intermediate.dense.*")}},
      {"blocks.*.mlp.fc2.*",
       {layer + (config.swiglu ? "mlp.weights_out.*"
                 : dino        ? "mlp.fc2.*"
                               : "output.dense.*")}},
      {"blocks.*.ls2.gamma", {layer + "layer_scale2.lambda1"}},
  };
}

// The blocks as transformers 5 names its modules, and writes them with save_original_format=False.
std::vector<weights::KeyRule> new_block_rules(const VitConfig& config) {
  const bool dino = config.layer_scale;
  const std::string layer = dino ? "@encoder.layer.*." : "@layers.*.", attention = layer + "attention.";
  const std::vector<std::string> fc1 = {layer + "mlp.fc1.*"},
                                 gate_and_up = {layer + "mlp.gate_proj.*", layer + "mlp.up_proj.*"};
  return {
      {"blocks.*.norm1.*", {layer + (dino ? "norm1.*" : "layernorm_before.*")}},
      {"blocks.*.attn.qkv.*", {attention + "q_proj.*", attention + "k_proj.*", attention + "v_proj.*"}},
      {"blocks.*.attn.proj.*", {attention + "o_proj.*"}},
      {"blocks.*.ls1.gamma", {layer + "layer_scale1.lambda1"}},
      {"blocks.*.norm2.*", {layer + (dino ? "norm2.*" : "layernorm_after.*")}},
      {"blocks.*.mlp.fc1.*", config.swiglu ? gate_and_up : fc1},
      {"blocks.*.mlp.fc2.*", {layer + (config.swiglu ? "mlp.down_proj.*" : "mlp.fc2.*")}},
      {"blocks.*.ls2.gamma", {layer + "layer_scale2.lambda1"}},
  };
}

}  // namespace

VitConfig vit_config_from_transformers(const Source& source) {
  const Json& config = source.config;
  const auto type = get_or<std::string>(config, "model_type", "vit");
  const bool dino = is_dino(type);
  VitConfig vit;
  vit.image_size = pair_or(config, "image_size", 224);
  vit.patch = pair_or(config, "patch_size", type == "dinov2" ? 14 : 16);
  vit.channels = get_or<std::int64_t>(config, "num_channels", 3);
  vit.dim = get_or<std::int64_t>(config, "hidden_size", 768);
  vit.depth = get_or<std::int64_t>(config, "num_hidden_layers", 12);
  vit.heads = get_or<std::int64_t>(config, "num_attention_heads", 12);
  vit.eps = get_or(config, "layer_norm_eps", usual_eps(type));
  vit.activation = ops::activation_from_name(get_or<std::string>(config, "hidden_act", "gelu"));
  vit.qkv_bias = get_or(config, "qkv_bias", true);
  vit.dropout = vit.projection_dropout = vit.embedding_dropout = get_or(config, "hidden_dropout_prob", 0.0);
  vit.attention_dropout = get_or(config, "attention_probs_dropout_prob", 0.0);
  vit.drop_path = get_or(config, "drop_path_rate", 0.0);
  check_sizes(config, {vit.image_size[0], vit.image_size[1], vit.patch[0], vit.patch[1], vit.channels, vit.dim,
                       vit.depth, vit.heads});
  vit.head_dim = get_or<std::int64_t>(config, "head_dim", vit.dim / vit.heads);
  if (dino) add_dino(vit, config, type);
  vit.mlp_dim = mlp_dim(config, vit, dino);
  if (type == "deit") vit.distillation = true;
  if (type == "ijepa") {
    vit.class_token = false;
    vit.pooling = Pooling::mean;
  }
  if (has_pooler(source)) add_pooler(vit, config);
  vit.classes = source.classes.value_or(has_head(source) ? label_count(config) : 0);
  vit.teacher_head = source.has_key("distillation_classifier.weight");
  check_vit(vit, config);
  return vit;
}

weights::KeyTable vit_keys_of_transformers(const VitConfig& config, KeyStyle style) {
  weights::KeyTable table{.publisher = "transformers",
                          .prefixes = {"vit.", "deit.", "dinov2.", "dinov2_with_registers.", "ijepa.", ""}};
  table.rules = {
      {"cls_token", {"@embeddings.cls_token"}},
      {"dist_token", {"@embeddings.distillation_token"}},
      {"reg_token", {"@embeddings.register_tokens"}},
      {"pos_embed", {"@embeddings.position_embeddings"}},
      {"patch_embed.proj.*", {"@embeddings.patch_embeddings.projection.*"}},
      {"norm.*", {"@layernorm.*"}},
      {"pooler.dense.*", {"@pooler.dense.*"}},
      {"head_dist.*", {"distillation_classifier.*"}},
      {"head.*", {config.teacher_head ? "cls_classifier.*" : "classifier.*"}},
  };
  const auto block = style == KeyStyle::renamed
                         ? new_block_rules(config)
                         : hub_block_rules(config, style == KeyStyle::hub ? "@encoder.layer.*." : "encoder.layer.*.");
  table.rules.insert(table.rules.end(), block.begin(), block.end());
  table.dropped = {"@embeddings.mask_token", "decoder.**"};
  if (config.classes == 0)
    table.dropped.insert(table.dropped.end(), {"classifier.*", "cls_classifier.*", "distillation_classifier.*"});
  if (config.pooler != Pooler::dense) table.dropped.push_back("@pooler.dense.*");
  return table;
}

KeyStyle key_style(const Source& source) {
  const auto is_new = [](const auto& tensor) { return tensor.first.ends_with(".attention.q_proj.weight"); };
  if (std::ranges::any_of(source.shapes, is_new)) return KeyStyle::renamed;
  const bool bare =
      source.has_key("vit.embeddings.cls_token") && source.has_key("encoder.layer.0.layernorm_before.weight");
  return bare ? KeyStyle::blocks_without_prefix : KeyStyle::hub;
}

}  // namespace nunchi::models
