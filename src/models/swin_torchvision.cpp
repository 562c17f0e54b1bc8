#include <fmt/format.h>

#include "models/swin_publishers.h"

namespace nunchi::models {
namespace {

using Sizes = std::vector<std::int64_t>;

constexpr std::size_t most_stages = 16;

// Of one stage's blocks: torchvision numbers stages and mergings through, behind the patches.
void add_block_rules(std::vector<weights::KeyRule>& rules, std::size_t stage) {
  const auto own = fmt::format("layers.{}.blocks.*.", stage), theirs = fmt::format("features.{}.*.", 2 * stage + 1);
  rules.push_back(
      {own + "attn.q_bias", {theirs + "attn.qkv.bias"}, {}, weights::KeyRule::Part{.index = 0, .count = 3}});
  rules.push_back(
      {own + "attn.v_bias", {theirs + "attn.qkv.bias"}, {}, weights::KeyRule::Part{.index = 2, .count = 3}});
  rules.push_back({own + "mlp.fc1.*", {theirs + "mlp.0.*"}});
  rules.push_back({own + "mlp.fc2.*", {theirs + "mlp.3.*"}});
  for (const std::string part : {"*.*", "*.*.*", "*.*.*.*"}) rules.push_back({own + part, {theirs + part}});
}

}  // namespace

SwinConfig swin_config_from_torchvision(const Source& source) {
  const Json& arguments = source.config;
  const auto depths = get_or(arguments, "depths", Sizes{2, 2, 6, 2});
  const auto heads = get_or(arguments, "num_heads", Sizes{3, 6, 12, 24});
  const auto dim = get_or<std::int64_t>(arguments, "embed_dim", 96);
  const auto window = pair_or(arguments, "window_size", 7);
  SwinConfig swin;
  swin.stages = swin_stages(dim, depths, heads, window, get_or(arguments, "mlp_ratio", 4.0));
  swin.patch = pair_or(arguments, "patch_size", 4);
  const auto shrinks = std::int64_t{1} << (depths.size() - 1);
  swin.image_size = {swin.patch[0] * window[0] * shrinks, swin.patch[1] * window[1] * shrinks};
  swin.second = get_or<std::string>(arguments, "block", "") == "SwinTransformerBlockV2";
  swin.pad_patches = false;
  swin.small_maps = SmallMaps::do_not_shift;
  swin.dropout = get_or(arguments, "dropout", 0.0);
  swin.attention_dropout = get_or(arguments, "attention_dropout", 0.0);
  swin.drop_path = get_or(arguments, "stochastic_depth_prob", 0.1);
  swin.classes = source.classes.value_or(get_or<std::int64_t>(arguments, "num_classes", 1000));
  return swin;
}

weights::KeyTable swin_keys_of_torchvision(const SwinConfig& config) {
  weights::KeyTable table{.publisher = "torchvision"};
  table.rules = {{"patch_embed.proj.*", {"features.0.0.*"}},
                 {"patch_embed.norm.*", {"features.0.2.*"}},
                 {"head.fc.*", {"head.*"}}};
  for (std::size_t i = 0; i < most_stages; ++i) {
    table.rules.push_back({fmt::format("layers.{}.downsample.*.*", i), {fmt::format("features.{}.*.*", 2 * i)}});
    add_block_rules(table.rules, i);
  }
  table.dropped = {"features.*.*.attn.relative_position_index", "features.*.*.attn.relative_coords_table"};
  if (config.classes == 0) table.dropped.push_back("head.*");
  return table;
}

}  // namespace nunchi::models
