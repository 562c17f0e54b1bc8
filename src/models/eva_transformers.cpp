#include <algorithm>

#include "models/eva_publishers.h"

namespace nunchi::models {
namespace {

struct Biases {
  bool queries = true, keys = false, values = true;

  bool any() const { return queries || keys || values; }
  bool of_all_but_keys() const { return queries && !keys && values; }
};

Biases biases_of(const Json& config) {
  return {.queries = get_or(config, "query_bias", true),
          .keys = get_or(config, "key_bias", false),
          .values = get_or(config, "value_bias", true)};
}

nn::BlockConfig block_config(const Json& config) {
  const auto dim = get_or<std::int64_t>(config, "hidden_size", 384);
  const auto activation = ops::activation_from_name(get_or<std::string>(config, "hidden_act", "gelu"));
  const auto biases = biases_of(config);
  return {.attention = {.dim = dim,
                        .heads = get_or<std::int64_t>(config, "num_attention_heads", 6),
                        .qkv_bias = biases.any(),
                        .projection_bias = get_or(config, "proj_bias", true),
                        .key_bias = !biases.of_all_but_keys(),
                        .attention_dropout = get_or(config, "attention_dropout", 0.0)},
          .mlp = {.dim = dim,
                  .hidden = get_or<std::int64_t>(config, "intermediate_size", 1536),
                  .activation = activation,
                  .gated = get_or(config, "use_gated_mlp", false),
                  .gate = activation,
                  .bias = get_or(config, "mlp_bias", true)},
          .eps = get_or(config, "layer_norm_eps", 1e-5),
          .scale_attention = true,
          .scale_mlp = true};
}

// Before any weight is made: a block takes memory even without weights, and products of sizes must not overflow.
void check_dinov3(const EvaConfig& eva, const Json& config) {
  const auto& attention = eva.block.attention;
  check_sizes(config, {eva.image_size[0], eva.image_size[1], eva.patch[0], eva.patch[1], eva.channels, attention.dim,
                       attention.heads, eva.block.mlp.hidden, eva.registers + 1});
  check_sizes(config, {eva.grid()[0], eva.grid()[1], eva.channels * eva.patch[0] * eva.patch[1]});
  check_sizes(config, {eva.depth}, 1000);
}

weights::KeyTable keys_of(const EvaConfig& eva, const Biases& biases) {
  const std::string layer = "@layer.*.", attention = layer + "attention.", zero_part(weights::zeros);
  weights::KeyTable table{.publisher = "transformers", .prefixes = {"model.", ""}};
  table.rules = {
      {"cls_token", {"embeddings.cls_token"}},
      {"reg_token", {"embeddings.register_tokens"}},
      {"patch_embed.proj.*", {"embeddings.patch_embeddings.*"}},
      {"head.*", {"classifier.*"}},
      {"blocks.*.norm1.*", {layer + "norm1.*"}},
      {"blocks.*.norm2.*", {layer + "norm2.*"}},
      {"blocks.*.attn.q_bias", {attention + "q_proj.bias"}},
      {"blocks.*.attn.v_bias", {attention + "v_proj.bias"}},
      {"blocks.*.attn.qkv.bias",
       {biases.queries ? attention + "q_proj.bias" : zero_part, biases.keys ? attention + "k_proj.bias" : zero_part,
        biases.values ? attention + "v_proj.bias" : zero_part}},
      {"blocks.*.attn.qkv.weight",
       {attention + "q_proj.weight", attention + "k_proj.weight", attention + "v_proj.weight"}},
      {"blocks.*.attn.proj.*", {attention + "o_proj.*"}},
      {"blocks.*.gamma_1", {layer + "layer_scale1.lambda1"}},
      {"blocks.*.gamma_2", {layer + "layer_scale2.lambda1"}},
      {"blocks.*.mlp.fc1.*", eva.block.mlp.gated ? std::vector{layer + "mlp.gate_proj.*", layer + "mlp.up_proj.*"}
                                                 : std::vector{layer + "mlp.up_proj.*"}},
      {"blocks.*.mlp.fc2.*", {layer + "mlp.down_proj.*"}},
  };
  table.dropped = {"embeddings.mask_token", "rope_embeddings.*"};
  if (eva.registers == 0) table.dropped.push_back("embeddings.register_tokens");  // written even where there are none
  return table;
}

}  // namespace

EvaDescription describe_dinov3(const Source& source) {
  const Json& config = source.config;
  EvaConfig eva;
  eva.image_size = pair_or(config, "image_size", 224);
  eva.patch = pair_or(config, "patch_size", 16);
  eva.channels = get_or<std::int64_t>(config, "num_channels", 3);
  eva.classes = source.classes.value_or(0);
  eva.registers = get_or<std::int64_t>(config, "num_register_tokens", 0);
  eva.depth = get_or<std::int64_t>(config, "num_hidden_layers", 12);
  eva.block = block_config(config);
  eva.drop_path = get_or(config, "drop_path_rate", 0.0);
  eva.positions = false;
  check_dinov3(eva, config);
  eva.rotary = {.head_dim = eva.block.attention.inner_dim() / eva.block.attention.heads,
                .temperature = get_or(config, "rope_theta", 100.0),
                .coordinates = nn::RotaryCoordinates::centred,
                .pairs = ops::RotaryPairs::halves,
                .prefix_tokens = eva.prefix_tokens()};
  eva.norm_tokens = true;
  eva.norm_pooled = false;
  eva.pool = EvaConfig::Pool::cls;
  eva.rest = EvaConfig::Rest::cut;
  return {eva, keys_of(eva, biases_of(config))};
}

}  // namespace nunchi::models
