#include <fmt/format.h>

#include <algorithm>

#include "models/swin_publishers.h"

namespace nunchi::models {
namespace {

using Sizes = std::vector<std::int64_t>;

// What the constructors take. The last lines are read by other parts of the program, or for training only.
constexpr std::string_view known_arguments[] = {
    "img_size",        "patch_size",       "in_chans",  "num_classes",      "global_pool",
    "embed_dim",       "depths",           "num_heads", "head_dim",         "window_size",
    "mlp_ratio",       "qkv_bias",         "act_layer", "always_partition", "pretrained_window_sizes",
    "strict_img_size", "dynamic_img_size", "drop_rate", "proj_drop_rate",   "attn_drop_rate",
    "drop_path_rate",  "weight_init"};

[[noreturn]] void refuse(const std::string& field, const Json& value, std::string_view supported) {
  throw Error(ErrorKind::model, fmt::format("\"{}\" of a timm Swin is {}, which is not supported; supported is {}",
                                            field, value.dump(), supported));
}

void refuse_unknown(const Json& arguments) {
  for (const auto& [field, value] : arguments.items()) {
    if (!value.is_null() && std::ranges::count(known_arguments, field) == 0) refuse(field, value, "leaving it out");
  }
}

// One value for all stages, or a list of one for each.
template <class T>
std::vector<T> for_stages(const Json& arguments, const std::string& field, T fallback, std::size_t stages) {
  const auto found = arguments.find(field);
  if (found == arguments.end() || !found->is_array()) return std::vector<T>(stages, get_or(arguments, field, fallback));
  auto values = get_or(arguments, field, std::vector<T>{});
  if (values.size() != stages) refuse(field, *found, fmt::format("one number, or {}", stages));
  return values;
}

nn::Grid window_of(const Json& value) {
  if (value.is_number_integer()) return {value.get<std::int64_t>(), value.get<std::int64_t>()};
  if (value.is_array() && value.size() == 2 && value[0].is_number_integer() && value[1].is_number_integer())
    return {value[0].get<std::int64_t>(), value[1].get<std::int64_t>()};
  refuse("window_size", value, "a number or a pair of numbers");
}

// Two numbers are always height and width; a list otherwise has one window per stage.
std::vector<nn::Grid> windows_of(const Json& arguments, std::size_t stages) {
  const Json value = arguments.value("window_size", Json(7));
  if (!value.is_array() || (value.size() == 2 && value[0].is_number())) return std::vector(stages, window_of(value));
  if (value.size() != stages) refuse("window_size", value, fmt::format("one window, or {}", stages));
  std::vector<nn::Grid> windows;
  for (const auto& one : value) windows.push_back(window_of(one));
  return windows;
}

// timm cuts windows to the maps of the image size the model is made for, unless always_partition.
void fit_windows(SwinConfig& swin) {
  nn::Grid map = {swin.image_size[0] / swin.patch[0], swin.image_size[1] / swin.patch[1]};
  for (auto& stage : swin.stages) {
    if (&stage != &swin.stages.front()) map = {(map[0] + 1) / 2, (map[1] + 1) / 2};
    for (const std::size_t axis : {0, 1}) {
      if (map[axis] <= stage.window[axis]) stage.shift[axis] = 0;
      stage.window[axis] = std::min(stage.window[axis], std::max<std::int64_t>(map[axis], 1));
    }
  }
}

MapPooling pooling_of(const Json& arguments) {
  const auto name = get_or<std::string>(arguments, "global_pool", "avg");
  if (name == "avg" || name == "fast" || name == "fastavg") return MapPooling::mean;
  if (name == "max") return MapPooling::max;
  if (name == "avgmax") return MapPooling::mean_and_max;
  refuse("global_pool", name, "avg, max and avgmax");
}

void add_stages(SwinConfig& swin, const Json& arguments) {
  const auto depths = get_or(arguments, "depths", Sizes{2, 2, 6, 2}),
             heads = get_or(arguments, "num_heads", Sizes{3, 6, 12, 24});
  const auto dim = get_or<std::int64_t>(arguments, "embed_dim", 96);
  check_sizes(arguments, {dim});
  check_sizes(arguments, {static_cast<std::int64_t>(depths.size())}, 16);
  check_sizes(arguments, depths, 1000);
  check_sizes(arguments, heads, 1 << 12);
  if (depths.size() != heads.size()) refuse("num_heads", heads, fmt::format("{} numbers, as in depths", depths.size()));

  swin.stages = swin_stages(dim, depths, heads, {1, 1});
  const auto windows = windows_of(arguments, depths.size());
  const auto ratios = for_stages(arguments, "mlp_ratio", 4.0, depths.size());
  const auto head_dims = for_stages<std::int64_t>(arguments, "head_dim", 0, depths.size());
  const auto pretrained = for_stages<std::int64_t>(arguments, "pretrained_window_sizes", 0, depths.size());
  for (std::size_t i = 0; i < depths.size(); ++i) {
    auto& stage = swin.stages[i];
    check_sizes(arguments, {windows[i][0], windows[i][1]}, 1 << 10);
    stage.window = windows[i];
    stage.shift = {windows[i][0] / 2, windows[i][1] / 2};
    stage.mlp_dim = static_cast<std::int64_t>(static_cast<double>(stage.dim) * ratios[i]);
    if (head_dims[i] != 0) stage.head_dim = head_dims[i];
    stage.pretrained_window = {pretrained[i], pretrained[i]};
    check_sizes(arguments, {stage.dim, stage.mlp_dim, stage.head_dim.value_or(1)});
  }
}

}  // namespace

SwinConfig swin_config_from_timm(const Source& source) {
  const Json& arguments = source.config;
  refuse_unknown(arguments);
  SwinConfig swin;
  swin.second = source.name == "SwinTransformerV2";
  swin.image_size = pair_or(arguments, "img_size", 224);
  swin.patch = pair_or(arguments, "patch_size", 4);
  swin.channels = get_or<std::int64_t>(arguments, "in_chans", 3);
  check_sizes(arguments, {swin.image_size[0], swin.image_size[1], swin.patch[0], swin.patch[1], swin.channels});
  add_stages(swin, arguments);
  if (!get_or(arguments, "always_partition", false)) fit_windows(swin);
  swin.activation = ops::activation_from_name(get_or<std::string>(arguments, "act_layer", "gelu"));
  swin.qkv_bias = get_or(arguments, "qkv_bias", true);
  swin.shift_then_pad = true;
  swin.pooling = pooling_of(arguments);
  swin.absolute_positions = source.has_key("absolute_pos_embed");
  swin.dropout = get_or(arguments, "proj_drop_rate", 0.0);
  swin.attention_dropout = get_or(arguments, "attn_drop_rate", 0.0);
  swin.head_dropout = get_or(arguments, "drop_rate", 0.0);
  swin.drop_path = get_or(arguments, "drop_path_rate", 0.1);
  swin.classes = source.classes.value_or(get_or<std::int64_t>(arguments, "num_classes", 1000));
  if (swin.classes != 0) check_sizes(arguments, {swin.classes});
  return swin;
}

weights::KeyTable swin_keys_of_timm(const Source& source, const SwinConfig& config) {
  weights::KeyTable table{.publisher = "timm"};
  if (source.has_key("layers.0.downsample.reduction.weight")) {  // at the end of the stage before
    for (std::size_t i = 1; i < config.stages.size(); ++i) {
      table.rules.push_back(
          {fmt::format("layers.{}.downsample.*.*", i), {fmt::format("layers.{}.downsample.*.*", i - 1)}});
    }
  }
  if (source.has_key("head.weight")) table.rules.push_back({"head.fc.*", {"head.*"}});
  for (const std::string buffer :
       {"attn.relative_position_index", "attn.relative_coords_table", "attn.k_bias", "attn_mask"})
    table.dropped.push_back("layers.*.blocks.*." + buffer);
  if (config.classes == 0) table.dropped.insert(table.dropped.end(), {"head.fc.*", "head.weight", "head.bias"});
  return table;
}

Built build_swin(const Source& source) {
  const bool is_transformers = source.publisher == Publisher::transformers,
             is_timm = source.publisher == Publisher::timm;
  auto config = is_transformers ? swin_config_from_transformers(source)
                : is_timm       ? swin_config_from_timm(source)
                                : swin_config_from_torchvision(source);
  auto keys = is_transformers ? swin_keys_of_transformers(source, config)
              : is_timm       ? swin_keys_of_timm(source, config)
                              : swin_keys_of_torchvision(config);
  if (source.sizes_from_shapes) take_sizes_from_shapes(config, source, keys);
  return {std::make_unique<Swin>(config), std::move(keys), {"head.fc"}};
}

}  // namespace nunchi::models
