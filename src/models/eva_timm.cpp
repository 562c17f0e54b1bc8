#include <algorithm>

#include "models/eva_publishers.h"
#include "models/timm_arguments.h"

namespace nunchi::models {
namespace {

using Pool = EvaConfig::Pool;

void check_known(const Source& source) {
  check_arguments(source,
                  {"img_size",
                   "patch_size",
                   "in_chans",
                   "num_classes",
                   "global_pool",
                   "embed_dim",
                   "depth",
                   "num_heads",
                   "num_kv_heads",
                   "qkv_bias",
                   "qkv_fused",
                   "qk_norm",
                   "mlp_ratio",
                   "swiglu_mlp",
                   "swiglu_align_to",
                   "scale_mlp",
                   "scale_attn_inner",
                   "attn_type",
                   "norm_layer",
                   "init_values",
                   "attn_only_layer_scale",
                   "class_token",
                   "num_reg_tokens",
                   "no_embed_class",
                   "use_abs_pos_emb",
                   "use_rot_pos_emb",
                   "rope_type",
                   "rope_grid_offset",
                   "rope_grid_indexing",
                   "rope_temperature",
                   "rope_rotate_half",
                   "rope_shift_coords",
                   "rope_jitter_coords",
                   "rope_rescale_coords",
                   "use_post_norm",
                   "use_pre_transformer_norm",
                   "use_post_transformer_norm",
                   "use_fc_norm",
                   "attn_pool_num_heads",
                   "attn_pool_mlp_ratio",
                   "dynamic_img_size",
                   "dynamic_img_pad",
                   "ref_feat_shape"},
                  {});
  const auto heads = get_or<std::int64_t>(source.config, "num_heads", 12);
  const auto grouped = source.config.value("num_kv_heads", Json());
  const auto per_block = grouped.is_array() ? grouped : Json::array({grouped});
  for (const auto& of_block : per_block) {
    if (!of_block.is_null() && of_block != Json(heads)) refuse_argument(source, "num_kv_heads", "num_heads everywhere");
  }
}

// Whether the gate of a SwiGLU and what it gates come from two projections.
bool has_split_gate(const Json& arguments) {
  return get_or(arguments, "swiglu_mlp", false) &&
         (get_or(arguments, "scale_mlp", false) ||
          (get_or<std::int64_t>(arguments, "swiglu_align_to", 0) > 0 && !get_or(arguments, "use_post_norm", false)));
}

std::int64_t scaled(std::int64_t dim, double ratio) {
  return static_cast<std::int64_t>(static_cast<double>(dim) * std::clamp(ratio, 0.0, 1e6));
}

nn::AttentionConfig attention_config(const Source& source) {
  const Json& arguments = source.config;
  const auto type = get_or<std::string>(arguments, "attn_type", "eva");
  if (type != "eva" && type != "rope") refuse_argument(source, "attn_type", "\"eva\" or \"rope\"");
  const auto [norm_kind, eps] = norm_argument(source);
  return {.dim = get_or<std::int64_t>(arguments, "embed_dim", 768),
          .heads = get_or<std::int64_t>(arguments, "num_heads", 12),
          .qkv_bias = get_or(arguments, "qkv_bias", true),
          .key_bias = type == "rope",
          .norm_queries_and_keys = get_or(arguments, "qk_norm", false),
          .norm_output = get_or(arguments, "scale_attn_inner", false),
          .norm_kind = norm_kind,
          .eps = eps,
          .attention_dropout = get_or(arguments, "attn_drop_rate", 0.0),
          .projection_dropout = get_or(arguments, "proj_drop_rate", 0.0)};
}

nn::MlpConfig mlp_config(const Source& source, std::int64_t dim) {
  const Json& arguments = source.config;
  auto hidden = scaled(dim, get_or(arguments, "mlp_ratio", 4.0));
  const auto multiple = get_or<std::int64_t>(arguments, "swiglu_align_to", 0);
  if (has_split_gate(arguments) && multiple > 0) hidden = (hidden + multiple - 1) / multiple * multiple;
  const auto [norm_kind, eps] = norm_argument(source);
  return {.dim = dim,
          .hidden = hidden,
          .gated = get_or(arguments, "swiglu_mlp", false),
          .norm_hidden = get_or(arguments, "scale_mlp", false),
          .norm_kind = norm_kind,
          .eps = eps,
          .dropout = get_or(arguments, "proj_drop_rate", 0.0)};
}

nn::BlockConfig block_config(const Source& source) {
  const Json& arguments = source.config;
  const auto [norm_kind, eps] = norm_argument(source);
  nn::BlockConfig block{.attention = attention_config(source), .eps = eps, .norm_kind = norm_kind};
  block.mlp = mlp_config(source, block.attention.dim);
  block.norm_after = get_or(arguments, "use_post_norm", false);
  const bool scaled_layers = !arguments.value("init_values", Json()).is_null() && !block.norm_after;
  block.scale_attention = scaled_layers;
  block.scale_mlp = scaled_layers && !get_or(arguments, "attn_only_layer_scale", false);
  return block;
}

// The fields of the rotary embedding that its head size and prefix do not decide.
std::optional<nn::RotaryConfig> rotary_config(const Source& source) {
  const Json& arguments = source.config;
  if (!get_or(arguments, "use_rot_pos_emb", false)) return std::nullopt;
  const auto type = get_or<std::string>(arguments, "rope_type", "cat");
  if (type != "cat" && type != "dinov3" && type != "mixed")
    refuse_argument(source, "rope_type", "\"cat\", \"dinov3\" or \"mixed\"");
  const auto indexing = get_or<std::string>(arguments, "rope_grid_indexing", "ij");
  if (indexing != "ij" && indexing != "xy") refuse_argument(source, "rope_grid_indexing", "\"ij\" or \"xy\"");
  nn::RotaryConfig rotary{
      .temperature = get_or(arguments, "rope_temperature", 10000.0),
      .coordinates = type == "dinov3" ? nn::RotaryCoordinates::centred : nn::RotaryCoordinates::counted,
      .offset = type == "mixed" ? 0 : get_or(arguments, "rope_grid_offset", 0.0),
      .columns_first = indexing == "xy",
      .pairs = get_or(arguments, "rope_rotate_half", false) ? ops::RotaryPairs::halves : ops::RotaryPairs::neighbours};
  const bool has_reference = !arguments.value("ref_feat_shape", Json()).is_null();
  if (type == "cat" && has_reference) rotary.reference = pair_or(arguments, "ref_feat_shape", 1);
  if (type == "mixed" && rotary.pairs == ops::RotaryPairs::halves) refuse_argument(source, "rope_rotate_half", "false");
  return rotary;
}

Pool pool_of(const Source& source) {
  const auto name = get_or<std::string>(source.config, "global_pool", "avg");
  constexpr std::pair<std::string_view, Pool> pools[] = {{"token", Pool::cls},     {"avg", Pool::mean},
                                                         {"max", Pool::max},       {"avgmax", Pool::mean_and_max},
                                                         {"map", Pool::attention}, {"", Pool::none}};
  for (const auto& [known, pool] : pools) {
    if (name == known) return pool;
  }
  refuse_argument(source, "global_pool", "\"token\", \"avg\", \"max\", \"avgmax\", \"map\" or \"\"");
}

nn::AttentionPoolConfig attention_pool_config(const Source& source, const nn::BlockConfig& block) {
  const Json& arguments = source.config;
  const auto dim = block.attention.dim;
  const auto ratio = get_or(arguments, "attn_pool_mlp_ratio", get_or(arguments, "mlp_ratio", 4.0));
  return {.dim = dim,
          .heads = get_or(arguments, "attn_pool_num_heads", block.attention.heads),
          .mlp_dim = scaled(dim, ratio),
          .norm_kind = block.norm_kind,
          .eps = block.eps};
}

void add_tokens(EvaConfig& eva, const Json& arguments) {
  eva.class_token = get_or(arguments, "class_token", true);
  eva.registers = get_or<std::int64_t>(arguments, "num_reg_tokens", 0);
  eva.positions = get_or(arguments, "use_abs_pos_emb", true);
  eva.prefix_positions = !get_or(arguments, "no_embed_class", false);
}

void add_pooling(EvaConfig& eva, const Source& source) {
  const Json& arguments = source.config;
  eva.pool = pool_of(source);
  if (eva.pool == Pool::cls && !eva.class_token) refuse_argument(source, "class_token", "true beside token pooling");
  if (eva.pool == Pool::none && eva.classes > 0) refuse_argument(source, "global_pool", "a pooling beside a head");
  eva.attention_pool = attention_pool_config(source, eva.block);
  eva.norm_before = get_or(arguments, "use_pre_transformer_norm", false);
  eva.norm_pooled = get_or(arguments, "use_fc_norm", eva.pool == Pool::mean);
  eva.norm_tokens = get_or(arguments, "use_post_transformer_norm", !eva.norm_pooled);
}

// Of a bare state dict; a head stays as wide as the architecture's.
void take_sizes(EvaConfig& eva, const Source& source) {
  auto& attention = eva.block.attention;
  auto& mlp = eva.block.mlp;
  const auto head_dim = attention.dim / std::max<std::int64_t>(attention.heads, 1);
  if (const auto patch = source.shape("patch_embed.proj.weight"); patch && patch->size() == 4) {
    attention.dim = mlp.dim = (*patch)[0];
    eva.channels = (*patch)[1];
    eva.patch = {(*patch)[2], (*patch)[3]};
  }
  attention.heads = std::max<std::int64_t>(attention.dim / std::max<std::int64_t>(head_dim, 1), 1);
  eva.depth = count_blocks(source);
  const auto gate = source.shape("blocks.0.mlp.fc1_g.weight"), hidden = source.shape("blocks.0.mlp.fc1.weight");
  if (gate) mlp.hidden = gate->at(0);
  if (hidden) mlp.hidden = mlp.gated ? hidden->at(0) / 2 : hidden->at(0);
  const auto registers = source.shape("reg_token");
  eva.registers = registers && registers->size() == 3 ? (*registers)[1] : 0;
  const auto head = source.shape("head.weight");
  eva.classes = head ? head->at(0) : 0;
  const auto positions = source.shape("pos_embed");
  if (!positions || positions->size() != 3) return;
  const auto prefix = eva.prefix_positions ? eva.prefix_tokens() : 0;
  const auto side = side_of_square((*positions)[1] - prefix, "pos_embed");
  eva.image_size = {side * eva.patch[0], side * eva.patch[1]};
}

void check_eva(const EvaConfig& eva, const Json& arguments) {
  check_sizes(arguments, {eva.image_size[0], eva.image_size[1], eva.patch[0], eva.patch[1], eva.channels, eva.dim(),
                          eva.block.attention.heads, eva.block.mlp.hidden, eva.registers + 1, eva.classes + 1});
  check_sizes(arguments, {eva.grid()[0], eva.grid()[1], eva.attention_pool.heads, eva.attention_pool.mlp_dim,
                          eva.channels * eva.patch[0] * eva.patch[1]});
  check_sizes(arguments, {eva.depth}, 1000);
}

weights::KeyTable keys_of(const EvaConfig& eva, const Json& arguments) {
  weights::KeyTable table{.publisher = "timm", .dropped = {"mask_token"}};
  const std::string attention = "blocks.*.attn.", mlp = "blocks.*.mlp.";
  if (!get_or(arguments, "qkv_fused", true)) {
    table.rules = {{attention + "q_bias", {attention + "q_proj.bias"}},
                   {attention + "v_bias", {attention + "v_proj.bias"}},
                   {attention + "qkv.*", {attention + "q_proj.*", attention + "k_proj.*", attention + "v_proj.*"}}};
  }
  if (has_split_gate(arguments)) table.rules.push_back({mlp + "fc1.*", {mlp + "fc1_g.*", mlp + "fc1_x.*"}});
  if (!eva.learned_frequencies) table.dropped.push_back("rope.*");
  return table;
}

}  // namespace

EvaDescription describe_timm_eva(const Source& source) {
  const Json& arguments = source.config;
  check_known(source);
  EvaConfig eva;
  eva.image_size = pair_or(arguments, "img_size", 224);
  eva.patch = pair_or(arguments, "patch_size", 16);
  eva.channels = get_or<std::int64_t>(arguments, "in_chans", 3);
  eva.classes = source.classes.value_or(get_or<std::int64_t>(arguments, "num_classes", 1000));
  eva.depth = get_or<std::int64_t>(arguments, "depth", 12);
  eva.block = block_config(source);
  eva.embedding_dropout = get_or(arguments, "pos_drop_rate", 0.0);
  eva.drop_path = get_or(arguments, "drop_path_rate", 0.0);
  eva.head_dropout = get_or(arguments, "drop_rate", 0.0);
  add_tokens(eva, arguments);
  add_pooling(eva, source);
  if (source.sizes_from_shapes) take_sizes(eva, source);
  eva.classes = source.classes.value_or(eva.classes);
  check_eva(eva, arguments);
  if (get_or(arguments, "dynamic_img_pad", false)) eva.rest = EvaConfig::Rest::pad;
  if (!get_or(arguments, "dynamic_img_size", false)) eva.rest = EvaConfig::Rest::cut;
  eva.rotary = rotary_config(source);
  eva.learned_frequencies = eva.rotary && get_or<std::string>(arguments, "rope_type", "cat") == "mixed";
  if (eva.rotary) {
    eva.rotary->head_dim = eva.block.attention.inner_dim() / eva.block.attention.heads;
    eva.rotary->prefix_tokens = eva.prefix_tokens();
    if (eva.rotary->head_dim % 4 != 0) refuse_argument(source, "num_heads", "heads whose width divides by 4");
  }
  return {eva, keys_of(eva, arguments)};
}

Built build_eva(const Source& source) {
  auto [config, keys] =
      source.publisher == Publisher::transformers ? describe_dinov3(source) : describe_timm_eva(source);
  return {std::make_unique<Eva>(config), std::move(keys), {"head"}};
}

}  // namespace nunchi::models
