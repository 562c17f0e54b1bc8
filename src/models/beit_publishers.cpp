#include "models/beit_publishers.h"

#include <algorithm>

#include "models/timm_arguments.h"

namespace nunchi::models {
namespace {

using Pool = BeitConfig::Pool;

// What config.json calls the model, where it does.
bool is_for(const Source& source, const std::string& task, const std::string& key_of_its_head) {
  const auto classes = get_or(source.config, "architectures", std::vector<std::string>{});
  if (!classes.empty()) return classes.front().find(task) != std::string::npos;
  return source.has_key(key_of_its_head);
}

// Only the norm after the mean tells whether there is a pooler.
bool has_pooler_norm(const Source& source) {
  return source.shapes.empty() || source.has_key("pooler.layernorm.weight") ||
         source.has_key("beit.pooler.layernorm.weight") || source.has_key("data2vec_vision.pooler.layernorm.weight");
}

bool is_renamed(const Source& source) {
  return std::ranges::any_of(source.shapes,
                             [](const auto& tensor) { return tensor.first.ends_with(".attention.q_proj.weight"); });
}

void check_beit(const BeitConfig& beit, const Json& config) {
  check_sizes(config, {beit.image_size[0], beit.image_size[1], beit.patch[0], beit.patch[1], beit.channels, beit.dim,
                       beit.heads, beit.mlp_dim, std::max<std::int64_t>(beit.classes, 1)});
  check_sizes(config, {beit.grid()[0], beit.grid()[1]}, 4096);
  check_sizes(config, {beit.depth}, 1000);
}

// The blocks as the hub has them.
std::vector<weights::KeyRule> hub_rules() {
  const std::string layer = "@encoder.layer.*.", attention = layer + "attention.attention.";
  const std::string table = "relative_position_bias.relative_position_bias_table";
  return {
      {"rel_pos_bias.relative_position_bias_table", {"@encoder." + table}},
      {"blocks.*.attn.relative_position_bias_table", {attention + table}},
      {"blocks.*.attn.qkv.weight", {attention + "query.weight", attention + "key.weight", attention + "value.weight"}},
      {"blocks.*.attn.q_bias", {attention + "query.bias"}},
      {"blocks.*.attn.v_bias", {attention + "value.bias"}},
      {"blocks.*.attn.proj.*", {layer + "attention.output.dense.*"}},
      {"blocks.*.mlp.fc1.*", {layer + "intermediate.dense.*"}},
      {"blocks.*.mlp.fc2.*", {layer + "output.dense.*"}},
  };
}

// The blocks as transformers 5 names its modules, and writes them with save_original_format=False.
std::vector<weights::KeyRule> new_rules() {
  const std::string layer = "@layers.*.", attention = layer + "attention.", table = "relative_position_bias_table";
  return {
      {"rel_pos_bias.relative_position_bias_table", {"@shared_position_bias." + table}},
      {"blocks.*.attn.relative_position_bias_table", {layer + "relative_position_bias." + table}},
      {"blocks.*.attn.qkv.weight",
       {attention + "q_proj.weight", attention + "k_proj.weight", attention + "v_proj.weight"}},
      {"blocks.*.attn.q_bias", {attention + "q_proj.bias"}},
      {"blocks.*.attn.v_bias", {attention + "v_proj.bias"}},
      {"blocks.*.attn.proj.*", {attention + "o_proj.*"}},
      {"blocks.*.mlp.fc1.*", {layer + "mlp.fc1.*"}},
      {"blocks.*.mlp.fc2.*", {layer + "mlp.fc2.*"}},
  };
}

weights::KeyTable keys_of_transformers(const BeitConfig& config, const Source& source) {
  const bool renamed = is_renamed(source);
  const std::string layer = renamed ? "@layers.*." : "@encoder.layer.*.";
  weights::KeyTable table{.publisher = "transformers", .prefixes = {"beit.", "data2vec_vision.", ""}};
  table.rules = {
      {"cls_token", {"@embeddings.cls_token"}},
      {"pos_embed", {"@embeddings.position_embeddings"}},
      {"patch_embed.proj.*", {"@embeddings.patch_embeddings.projection.*"}},
      {"norm.*", {"@layernorm.*"}},
      {"fc_norm.*", {"@pooler.layernorm.*"}},
      {"head.*", {"classifier.*"}},
      {"blocks.*.norm1.*", {layer + "layernorm_before.*"}},
      {"blocks.*.norm2.*", {layer + "layernorm_after.*"}},
      {"blocks.*.gamma_1", {layer + "lambda_1"}},
      {"blocks.*.gamma_2", {layer + "lambda_2"}},
  };
  const auto blocks = renamed ? new_rules() : hub_rules();
  table.rules.insert(table.rules.end(), blocks.begin(), blocks.end());
  table.dropped = {"@embeddings.mask_token",
                   "@encoder.layer.*.attention.attention.relative_position_bias.relative_position_index",
                   "@encoder.relative_position_bias.relative_position_index",
                   "decode_head.**",
                   "auxiliary_head.**",
                   "fpn1.**",
                   "fpn2.**",
                   "lm_head.*"};
  if (source.has_key("lm_head.weight")) table.dropped.push_back("layernorm.*");  // of the head, beside the backbone's
  if (config.classes == 0) table.dropped.push_back("classifier.*");
  return table;
}

weights::KeyTable keys_of_timm() {
  return {.publisher = "timm",
          .dropped = {"blocks.*.attn.relative_position_index", "rel_pos_bias.relative_position_index", "mask_token"}};
}

// Of a bare state dict.
void take_sizes(BeitConfig& beit, const Source& source) {
  if (const auto patch = source.shape("patch_embed.proj.weight"); patch && patch->size() == 4) {
    beit.dim = (*patch)[0];
    beit.channels = (*patch)[1];
    beit.patch = {(*patch)[2], (*patch)[3]};
  }
  beit.depth = count_blocks(source);
  for (const std::string name : {"blocks.0.mlp.fc1.weight", "blocks.0.mlp.fc1_g.weight"}) {
    if (const auto shape = source.shape(name)) beit.mlp_dim = shape->at(0);
  }
  for (const std::string name :
       {"blocks.0.attn.relative_position_bias_table", "rel_pos_bias.relative_position_bias_table"}) {
    const auto table = source.shape(name);
    if (!table || table->size() != 2) continue;
    const auto side = (side_of_square((*table)[0] - 3, name) + 1) / 2;
    beit.image_size = {side * beit.patch[0], side * beit.patch[1]};
    beit.heads = (*table)[1];
  }
  const auto head = source.shape("head.weight");
  beit.classes = head ? head->at(0) : 0;
}

}  // namespace

BeitConfig beit_config_from_transformers(const Source& source) {
  const Json& config = source.config;
  BeitConfig beit;
  beit.image_size = pair_or(config, "image_size", 224);
  beit.patch = pair_or(config, "patch_size", 16);
  beit.channels = get_or<std::int64_t>(config, "num_channels", 3);
  beit.dim = get_or<std::int64_t>(config, "hidden_size", 768);
  beit.depth = get_or<std::int64_t>(config, "num_hidden_layers", 12);
  beit.heads = get_or<std::int64_t>(config, "num_attention_heads", 12);
  beit.mlp_dim = get_or<std::int64_t>(config, "intermediate_size", 3072);
  beit.eps = get_or(config, "layer_norm_eps", 1e-12);
  beit.activation = ops::activation_from_name(get_or<std::string>(config, "hidden_act", "gelu"));
  beit.layer_scale = get_or(config, "layer_scale_init_value", 0.1) > 0;
  beit.positions = get_or(config, "use_absolute_position_embeddings", false);
  beit.relative_bias = get_or(config, "use_relative_position_bias", false);
  beit.shared_relative_bias = get_or(config, "use_shared_relative_position_bias", false);
  beit.resampling = Resampling::bilinear;
  beit.dropout = get_or(config, "hidden_dropout_prob", 0.0);
  beit.attention_dropout = get_or(config, "attention_probs_dropout_prob", 0.0);
  beit.drop_path = get_or(config, "drop_path_rate", 0.1);
  const bool head = is_for(source, "ForImageClassification", "classifier.weight");
  beit.classes = source.classes.value_or(head ? label_count(config) : 0);
  const bool mean = get_or(config, "use_mean_pooling", true);
  beit.norm_tokens = !mean;
  beit.norm_pooled = mean && (head || has_pooler_norm(source));
  beit.pool = !mean ? Pool::cls : beit.norm_pooled || beit.classes > 0 ? Pool::mean : Pool::none;
  check_beit(beit, config);
  return beit;
}

BeitConfig beit_config_from_timm(const Source& source) {
  const Json& arguments = source.config;
  check_arguments(source,
                  {"img_size", "patch_size", "in_chans", "num_classes", "global_pool", "embed_dim", "depth",
                   "num_heads", "qkv_bias", "mlp_ratio", "swiglu_mlp", "scale_mlp", "norm_layer", "init_values",
                   "use_abs_pos_emb", "use_rel_pos_bias", "use_shared_rel_pos_bias", "use_fc_norm"},
                  {});
  BeitConfig beit;
  beit.image_size = pair_or(arguments, "img_size", 224);
  beit.patch = pair_or(arguments, "patch_size", 16);
  beit.channels = get_or<std::int64_t>(arguments, "in_chans", 3);
  beit.dim = get_or<std::int64_t>(arguments, "embed_dim", 768);
  beit.depth = get_or<std::int64_t>(arguments, "depth", 12);
  beit.heads = get_or<std::int64_t>(arguments, "num_heads", 12);
  beit.mlp_dim = static_cast<std::int64_t>(static_cast<double>(beit.dim) * get_or(arguments, "mlp_ratio", 4.0));
  beit.classes = get_or<std::int64_t>(arguments, "num_classes", 1000);
  if (norm_argument(source).kind != nn::NormKind::layer) refuse_argument(source, "norm_layer", "LayerNorm");
  beit.eps = norm_argument(source).eps;
  beit.qkv_bias = get_or(arguments, "qkv_bias", true);
  beit.swiglu = get_or(arguments, "swiglu_mlp", false);
  beit.norm_hidden = get_or(arguments, "scale_mlp", false);
  beit.layer_scale = get_or(arguments, "init_values", 0.0) != 0;
  beit.positions = get_or(arguments, "use_abs_pos_emb", true);
  beit.relative_bias = get_or(arguments, "use_rel_pos_bias", false);
  beit.shared_relative_bias = get_or(arguments, "use_shared_rel_pos_bias", false);
  beit.dropout = get_or(arguments, "proj_drop_rate", 0.0);
  beit.attention_dropout = get_or(arguments, "attn_drop_rate", 0.0);
  beit.drop_path = get_or(arguments, "drop_path_rate", 0.0);
  beit.head_dropout = get_or(arguments, "drop_rate", 0.0);
  const auto pool = get_or<std::string>(arguments, "global_pool", "avg");
  if (pool != "avg" && pool != "token") refuse_argument(source, "global_pool", "\"avg\" or \"token\"");
  beit.pool = pool == "avg" ? Pool::mean : Pool::cls;
  beit.norm_pooled = get_or(arguments, "use_fc_norm", pool == "avg");
  beit.norm_tokens = !beit.norm_pooled;
  if (source.sizes_from_shapes) take_sizes(beit, source);
  beit.classes = source.classes.value_or(beit.classes);
  check_beit(beit, arguments);
  return beit;
}

Built build_beit(const Source& source) {
  if (source.publisher == Publisher::transformers) {
    const auto config = beit_config_from_transformers(source);
    return {std::make_unique<Beit>(config), keys_of_transformers(config, source), {"head"}};
  }
  const auto config = beit_config_from_timm(source);
  auto keys = keys_of_timm();
  if (config.swiglu) keys.rules = {{"blocks.*.mlp.fc1.*", {"blocks.*.mlp.fc1_g.*", "blocks.*.mlp.fc1_x.*"}}};
  return {std::make_unique<Beit>(config), std::move(keys), {"head"}};
}

}  // namespace nunchi::models
