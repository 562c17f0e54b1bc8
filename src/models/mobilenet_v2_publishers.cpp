#include "models/mobilenet_v2_publishers.h"

#include <cmath>

#include "models/arguments.h"

namespace nunchi::models {
namespace {

// The factors first: channels are computed from them.
MobileNetV2Scaling scaling_from_transformers(const Json& config) {
  MobileNetV2Scaling scaling;
  scaling.depth_multiplier = get_or(config, "depth_multiplier", scaling.depth_multiplier);
  scaling.expand_ratio = get_or(config, "expand_ratio", scaling.expand_ratio);
  scaling.depth_divisible_by = get_or(config, "depth_divisible_by", scaling.depth_divisible_by);
  scaling.min_depth = get_or(config, "min_depth", scaling.min_depth);
  scaling.output_stride = get_or(config, "output_stride", scaling.output_stride);
  scaling.finegrained_output = get_or(config, "finegrained_output", scaling.finegrained_output);
  for (const double factor : {scaling.depth_multiplier, scaling.expand_ratio}) {
    if (factor > 0 && factor <= 100) continue;
    throw Error(ErrorKind::model,
                fmt::format("config.json of a \"mobilenet_v2\": expected depth_multiplier and expand_ratio "
                            "above 0 and up to 100, found {}",
                            factor));
  }
  check_sizes(config, {scaling.depth_divisible_by, scaling.output_stride});
  check_sizes(config, {std::max<std::int64_t>(scaling.min_depth, 1)});
  check_sizes(config, {scaling.scaled(8), scaling.expanded(scaling.scaled(8))});
  return scaling;
}

void check_mobilenet(const MobileNetV2Config& net, const Json& config) {
  check_sizes(config, {net.image_size[0], net.image_size[1], net.channels, net.first, net.stem, net.features});
  for (const auto& block : net.blocks) check_sizes(config, {block.hidden, block.out});
  if (net.classes != 0) check_sizes(config, {net.classes});
}

weights::KeyTable keys_of_transformers(const MobileNetV2Config& net) {
  weights::KeyTable table{.publisher = "transformers", .prefixes = {"mobilenet_v2.", ""}};
  for (const std::string part : {"conv_stem.*.*.*", "layer.*.*.*.*", "conv_1x1.*.*"})
    table.rules.push_back({part, {"@" + part}});
  if (net.classes == 0) table.dropped = {"classifier.*"};
  return table;
}

// The nearest multiple of a divisor, but never more than 10 % below the value; both libraries round so.
std::int64_t rounded(double value, std::int64_t divisor) {
  const auto half = static_cast<double>(divisor) / 2;
  const auto nearest = std::max(divisor, static_cast<std::int64_t>(value + half) / divisor * divisor);
  return static_cast<double>(nearest) < 0.9 * value ? nearest + divisor : nearest;
}

struct LibraryScaling {
  double width = 1, depth = 1;
  std::int64_t divisor = 8;
  bool fixed_ends = false;  // timm's fix_stem_head: stem and features keep their channels, the last stage its blocks

  std::int64_t scaled(std::int64_t channels) const { return rounded(static_cast<double>(channels) * width, divisor); }
  std::int64_t repeats(std::size_t stage) const {
    const auto& s = mobilenet_v2_stages[stage];
    const bool is_last = stage + 1 == mobilenet_v2_stages.size();
    if (fixed_ends && is_last) return s.repeats;
    return static_cast<std::int64_t>(std::ceil(static_cast<double>(s.repeats) * depth));
  }
};

LibraryScaling scaling_from_arguments(const Json& arguments) {
  LibraryScaling scaling;
  scaling.width = get_or(arguments, "channel_multiplier", get_or(arguments, "width_mult", 1.0));
  scaling.depth = get_or(arguments, "depth_multiplier", 1.0);
  scaling.divisor = get_or<std::int64_t>(arguments, "round_nearest", 8);
  scaling.fixed_ends = get_or(arguments, "fix_stem_head", false);
  for (const double factor : {scaling.width, scaling.depth}) {
    if (factor > 0 && factor <= 100) continue;
    throw Error(ErrorKind::model, fmt::format("expected multipliers above 0 and up to 100, found {}", factor));
  }
  check_sizes(arguments, {scaling.divisor}, 1024);
  if (scaling.depth > 1 && !scaling.fixed_ends)
    throw Error(ErrorKind::model, "depth_multiplier above 1 without fix_stem_head is not supported");
  return scaling;
}

void set_layers(MobileNetV2Config& net, const LibraryScaling& s) {
  net.first = s.fixed_ends ? 32 : s.scaled(32);
  net.stem = s.scaled(16);
  net.features = s.fixed_ends ? 1280 : std::max<std::int64_t>(1280, s.scaled(1280));
  std::int64_t in = net.stem;
  for (std::size_t stage = 0; stage < mobilenet_v2_stages.size(); ++stage) {
    for (std::int64_t i = 0; i < s.repeats(stage); ++i) {
      const auto& [out, repeats, stride] = mobilenet_v2_stages[stage];
      net.blocks.push_back({.hidden = 6 * in, .out = s.scaled(out), .stride = i == 0 ? stride : 1});
      in = net.blocks.back().out;
    }
  }
}

using Names = std::pair<std::string, std::string>;  // a library's convolution and the norm behind it

void add_rules(weights::KeyTable& table, const std::string& own, const Names& theirs) {
  table.rules.push_back({own + ".convolution.*", {theirs.first + ".*"}});
  table.rules.push_back({own + ".normalization.*", {theirs.second + ".*"}});
}

weights::KeyTable keys_of_timm(const LibraryScaling& scaling) {
  weights::KeyTable table;
  const std::string first = "blocks.0.0.";
  add_rules(table, "conv_stem.first_conv", {"conv_stem", "bn1"});
  add_rules(table, "conv_stem.conv_3x3", {first + "conv_dw", first + "bn1"});
  add_rules(table, "conv_stem.reduce_1x1", {first + "conv_pw", first + "bn2"});
  int index = 0;
  for (std::size_t stage = 0; stage < mobilenet_v2_stages.size(); ++stage) {
    for (std::int64_t i = 0; i < scaling.repeats(stage); ++i) {
      const auto own = fmt::format("layer.{}.", index++), theirs = fmt::format("blocks.{}.{}.", stage + 1, i);
      add_rules(table, own + "expand_1x1", {theirs + "conv_pw", theirs + "bn1"});
      add_rules(table, own + "conv_3x3", {theirs + "conv_dw", theirs + "bn2"});
      add_rules(table, own + "reduce_1x1", {theirs + "conv_pwl", theirs + "bn3"});
    }
  }
  add_rules(table, "conv_1x1", {"conv_head", "bn2"});
  return table;
}

weights::KeyTable keys_of_torchvision(const MobileNetV2Config& net) {
  weights::KeyTable table;
  add_rules(table, "conv_stem.first_conv", {"features.0.0", "features.0.1"});
  add_rules(table, "conv_stem.conv_3x3", {"features.1.conv.0.0", "features.1.conv.0.1"});
  add_rules(table, "conv_stem.reduce_1x1", {"features.1.conv.1", "features.1.conv.2"});
  for (std::size_t i = 0; i < net.blocks.size(); ++i) {
    const auto own = fmt::format("layer.{}.", i), theirs = fmt::format("features.{}.conv.", i + 2);
    add_rules(table, own + "expand_1x1", {theirs + "0.0", theirs + "0.1"});
    add_rules(table, own + "conv_3x3", {theirs + "1.0", theirs + "1.1"});
    add_rules(table, own + "reduce_1x1", {theirs + "2", theirs + "3"});
  }
  const auto last = fmt::format("features.{}.", net.blocks.size() + 2);
  add_rules(table, "conv_1x1", {last + "0", last + "1"});
  table.rules.push_back({"classifier.*", {"classifier.1.*"}});
  return table;
}

weights::KeyTable keys_of_library(const MobileNetV2Config& net, const Source& source) {
  auto table = source.publisher == Publisher::torchvision ? keys_of_torchvision(net)
                                                          : keys_of_timm(scaling_from_arguments(source.config));
  if (net.classes == 0) table.dropped = {"classifier.**"};
  return table;
}

// Channels and classes that the tensors show.
void read_sizes_of_tensors(MobileNetV2Config& net, const Source& source) {
  const auto keys = keys_of_library(net, source);
  const auto set_rows = [&](std::int64_t& size, const std::string& own) {
    const auto shape = source.shape(keys.their_names(own, "").front());
    if (shape && !shape->empty()) size = shape->front();
  };
  set_rows(net.first, "conv_stem.first_conv.convolution.weight");
  set_rows(net.stem, "conv_stem.reduce_1x1.convolution.weight");
  for (std::size_t i = 0; i < net.blocks.size(); ++i) {
    set_rows(net.blocks[i].hidden, fmt::format("layer.{}.expand_1x1.convolution.weight", i));
    set_rows(net.blocks[i].out, fmt::format("layer.{}.reduce_1x1.convolution.weight", i));
  }
  set_rows(net.features, "conv_1x1.convolution.weight");
  set_rows(net.classes, "classifier.weight");
}

}  // namespace

MobileNetV2Config mobilenet_v2_config_from_transformers(const Source& source) {
  const Json& config = source.config;
  MobileNetV2Config net;
  net.image_size = pair_or(config, "image_size", 224);
  net.channels = get_or(config, "num_channels", net.channels);
  net.first_layer_is_expansion = get_or(config, "first_layer_is_expansion", net.first_layer_is_expansion);
  net.tf_padding = get_or(config, "tf_padding", net.tf_padding);
  net.activation = ops::activation_from_name(get_or<std::string>(config, "hidden_act", "relu6"));
  net.eps = get_or(config, "layer_norm_eps", net.eps);
  net.head_dropout = get_or(config, "classifier_dropout_prob", 0.8);
  net.classes = source.classes.value_or(source.has_key("classifier.weight") ? label_count(config) : 0);
  models::set_layers(net, scaling_from_transformers(config));
  check_mobilenet(net, config);
  return net;
}

MobileNetV2Config mobilenet_v2_config_from_arguments(const Source& source) {
  const Json& arguments = source.config;
  refuse_further_arguments(
      arguments, {"num_classes", "in_chans", "global_pool", "channel_multiplier", "depth_multiplier", "fix_stem_head",
                  "width_mult", "round_nearest", "act_layer", "bn_eps", "bn_momentum"});
  require_argument<std::string>(arguments, "global_pool", "avg");
  MobileNetV2Config net{.classes = 1000, .residual_stem = true, .tf_padding = false, .eps = 1e-5, .momentum = 0.1};
  net.channels = get_or(arguments, "in_chans", net.channels);
  net.classes = get_or(arguments, "num_classes", net.classes);
  net.activation = activation_argument(arguments, "act_layer", net.activation);
  net.eps = get_or(arguments, "bn_eps", net.eps);
  const bool timm = source.publisher == Publisher::timm;
  net.drop_path = timm ? get_or(arguments, "drop_path_rate", 0.0) : 0;
  net.head_dropout = timm ? get_or(arguments, "drop_rate", 0.0) : get_or(arguments, "dropout", 0.2);
  set_layers(net, scaling_from_arguments(arguments));
  if (source.sizes_from_shapes) read_sizes_of_tensors(net, source);
  if (source.classes) net.classes = *source.classes;
  check_mobilenet(net, arguments);
  return net;
}

Built build_mobilenet_v2(const Source& source) {
  const bool hub = source.publisher == Publisher::transformers;
  auto net = hub ? mobilenet_v2_config_from_transformers(source) : mobilenet_v2_config_from_arguments(source);
  auto keys = hub ? keys_of_transformers(net) : keys_of_library(net, source);
  return {std::make_unique<MobileNetV2>(std::move(net)), std::move(keys), {"classifier"}};
}

}  // namespace nunchi::models
