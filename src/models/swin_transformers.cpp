#include <fmt/format.h>

#include <algorithm>

#include "models/swin_publishers.h"

namespace nunchi::models {
namespace {

using Sizes = std::vector<std::int64_t>;

bool is_class(const Json& config, const std::string& ending) {
  const auto classes = get_or(config, "architectures", std::vector<std::string>{});
  return !classes.empty() && classes.front().ends_with(ending);
}

bool has_head(const Source& source) {
  return source.config.contains("architectures") ? is_class(source.config, "ForImageClassification")
                                                 : source.has_key("classifier.weight");
}

// Before any weight is made, see check_sizes.
void check_stages(const Json& config, const Sizes& depths, const Sizes& heads) {
  check_sizes(config, {static_cast<std::int64_t>(depths.size())}, 16);
  check_sizes(config, depths, 1000);
  check_sizes(config, heads, 1 << 12);
  if (depths.size() == heads.size()) return;
  throw Error(ErrorKind::model,
              fmt::format("config.json: expected as many \"num_heads\" as \"depths\", found {} and {}", heads.size(),
                          depths.size()));
}

// The first version looks at the map of the picture, the second at that of the image size it was made for.
void fit_windows(SwinConfig& swin) {
  auto rows = swin.image_size[0] / swin.patch[0];
  for (auto& stage : swin.stages) {
    if (rows <= stage.window[0]) stage.shift = {0, 0};
    stage.window[0] = stage.window[1] = std::clamp<std::int64_t>(rows, 1, stage.window[0]);
    rows /= 2;
  }
}

// "stem" and "stageK" as 0 and K, in the order of the stages; the last stage where nothing is said.
Sizes feature_numbers(const Json& config, std::size_t stages) {
  const auto last = static_cast<std::int64_t>(stages);
  auto numbers = get_or(config, "out_indices", Sizes{});
  for (auto& number : numbers) number += number < 0 ? last + 1 : 0;
  if (const auto names = get_or(config, "out_features", std::vector<std::string>{}); !names.empty()) {
    numbers.clear();
    for (std::int64_t i = 0; i <= last; ++i) {
      if (std::ranges::count(names, i == 0 ? "stem" : fmt::format("stage{}", i)) > 0) numbers.push_back(i);
    }
  }
  if (numbers.empty()) numbers = {last};
  std::ranges::sort(numbers);
  if (numbers.front() >= 0 && numbers.back() <= last) return numbers;
  throw Error(ErrorKind::model, fmt::format("config.json: expected \"out_indices\" from 0 to {}, found {}", last,
                                            numbers.front() < 0 ? numbers.front() : numbers.back()));
}

void add_backbone(SwinConfig& swin, const Source& source) {
  swin.features = feature_numbers(source.config, swin.stages.size());
  swin.small_maps = SmallMaps::keep;
  swin.final_norm = source.has_key("swin.layernorm.weight") || source.has_key("layernorm.weight");
  if (swin.second) return;
  swin.feature_norms = true;
  swin.layout = MapLayout::channels_first;
}

void add_second(SwinConfig& swin, const Json& config) {
  swin.second = true;
  swin.parted_score = -200;  // the mask is added twice
  swin.small_maps = SmallMaps::keep;
  if (swin.absolute_positions) {
    throw Error(
        ErrorKind::model,
        "config.json of a \"swinv2\": use_absolute_embeddings is true, which transformers itself cannot run (its "
        "table has a row too many); only false is supported");
  }
  fit_windows(swin);
  const auto windows = get_or(config, "pretrained_window_sizes", Sizes(swin.stages.size(), 0));
  for (std::size_t i = 0; i < std::min(windows.size(), swin.stages.size()); ++i)
    swin.stages[i].pretrained_window = {windows[i], windows[i]};
}

std::vector<weights::KeyRule> hub_rules() {
  const std::string block = "@encoder.layers.*.blocks.*.", attention = block + "attention.self.";
  return {{"layers.*.blocks.*.norm1.*", {block + "layernorm_before.*"}},
          {"layers.*.blocks.*.attn.relative_position_bias_table", {attention + "relative_position_bias_table"}},
          {"layers.*.blocks.*.attn.logit_scale", {attention + "logit_scale"}},
          {"layers.*.blocks.*.attn.cpb_mlp.*.*", {attention + "continuous_position_bias_mlp.*.*"}},
          {"layers.*.blocks.*.attn.q_bias", {attention + "query.bias"}},
          {"layers.*.blocks.*.attn.v_bias", {attention + "value.bias"}},
          {"layers.*.blocks.*.attn.qkv.*", {attention + "query.*", attention + "key.*", attention + "value.*"}},
          {"layers.*.blocks.*.attn.proj.*", {block + "attention.output.dense.*"}},
          {"layers.*.blocks.*.norm2.*", {block + "layernorm_after.*"}},
          {"layers.*.blocks.*.mlp.fc1.*", {block + "intermediate.dense.*"}},
          {"layers.*.blocks.*.mlp.fc2.*", {block + "output.dense.*"}}};
}

// The first version as transformers 5 names its modules, and writes them with save_original_format=False.
std::vector<weights::KeyRule> new_rules() {
  const std::string block = "@encoder.layers.*.blocks.*.", attention = block + "attention.";
  return {{"layers.*.blocks.*.norm1.*", {block + "layernorm_before.*"}},
          {"layers.*.blocks.*.attn.relative_position_bias_table",
           {attention + "relative_position_bias.relative_position_bias_table"}},
          {"layers.*.blocks.*.attn.qkv.*", {attention + "q_proj.*", attention + "k_proj.*", attention + "v_proj.*"}},
          {"layers.*.blocks.*.attn.proj.*", {attention + "o_proj.*"}},
          {"layers.*.blocks.*.norm2.*", {block + "layernorm_after.*"}},
          {"layers.*.blocks.*.mlp.*.*", {block + "mlp.*.*"}}};
}

}  // namespace

SwinConfig swin_config_from_transformers(const Source& source) {
  const Json& config = source.config;
  const auto depths = get_or(config, "depths", Sizes{2, 2, 6, 2}),
             heads = get_or(config, "num_heads", Sizes{3, 6, 12, 24});
  const auto dim = get_or<std::int64_t>(config, "embed_dim", 96),
             window = get_or<std::int64_t>(config, "window_size", 7);
  check_stages(config, depths, heads);
  check_sizes(config, {dim});
  check_sizes(config, {window}, 1 << 10);

  SwinConfig swin;
  swin.image_size = pair_or(config, "image_size", 224);
  swin.patch = pair_or(config, "patch_size", 4);
  swin.channels = get_or<std::int64_t>(config, "num_channels", 3);
  check_sizes(config, {swin.image_size[0], swin.image_size[1], swin.patch[0], swin.patch[1], swin.channels});
  swin.stages = swin_stages(dim, depths, heads, {window, window}, get_or(config, "mlp_ratio", 4.0));
  for (const auto& stage : swin.stages) check_sizes(config, {stage.dim, stage.mlp_dim});
  swin.eps = get_or(config, "layer_norm_eps", 1e-5);
  swin.activation = ops::activation_from_name(get_or<std::string>(config, "hidden_act", "gelu"));
  swin.qkv_bias = get_or(config, "qkv_bias", true);
  swin.absolute_positions = get_or(config, "use_absolute_embeddings", false);
  swin.small_maps = SmallMaps::one_window;
  swin.layout = MapLayout::tokens;
  swin.dropout = get_or(config, "hidden_dropout_prob", 0.0);
  swin.attention_dropout = get_or(config, "attention_probs_dropout_prob", 0.0);
  swin.drop_path = get_or(config, "drop_path_rate", 0.1);
  swin.classes = source.classes.value_or(has_head(source) ? label_count(config) : 0);
  if (swin.classes != 0) check_sizes(config, {swin.classes});
  if (source.name == "swinv2") add_second(swin, config);
  if (is_class(config, "Backbone")) add_backbone(swin, source);
  return swin;
}

weights::KeyTable swin_keys_of_transformers(const Source& source, const SwinConfig& config) {
  weights::KeyTable table{.publisher = "transformers", .prefixes = {"swin.", "swinv2.", ""}};
  table.rules = {{"absolute_pos_embed", {"@embeddings.position_embeddings"}},
                 {"patch_embed.proj.*", {"@embeddings.patch_embeddings.projection.*"}},
                 {"patch_embed.norm.*", {"@embeddings.norm.*"}},
                 {"norm.*", {"@layernorm.*"}},
                 {"head.fc.*", {"classifier.*"}}};
  if (source.has_key("embeddings.norm.weight") && source.has_key("swin.layernorm.weight")) {  // SwinBackbone
    table.prefixes = {""};
    table.rules.insert(table.rules.begin(), {"norm.*", {"swin.layernorm.*"}});
  }
  for (std::size_t i = 1; i < config.stages.size(); ++i) {  // at the end of the stage before
    table.rules.push_back(
        {fmt::format("layers.{}.downsample.*.*", i), {fmt::format("@encoder.layers.{}.downsample.*.*", i - 1)}});
  }
  const auto is_new = [](const auto& tensor) { return tensor.first.ends_with(".attention.q_proj.weight"); };
  const auto blocks = std::ranges::any_of(source.shapes, is_new) ? new_rules() : hub_rules();
  table.rules.insert(table.rules.end(), blocks.begin(), blocks.end());

  const std::string attention = "@encoder.layers.*.blocks.*.attention.";
  table.dropped = {"@embeddings.mask_token", "decoder.**", attention + "self.relative_position_index",
                   attention + "self.relative_coords_table",
                   attention + "relative_position_bias.relative_position_index"};
  if (config.classes == 0) table.dropped.push_back("classifier.*");
  return table;
}

}  // namespace nunchi::models
