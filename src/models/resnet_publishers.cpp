#include "models/resnet_publishers.h"

#include <algorithm>

#include "models/arguments.h"

namespace nunchi::models {
namespace {

void check_resnet(const ResNetConfig& net, const Json& config) {
  check_sizes(config, {net.image_size[0], net.image_size[1], net.channels, net.groups, net.first_reduction});
  check_sizes(config, net.stem_channels);
  if (net.classes != 0) check_sizes(config, {net.classes});
  for (const auto& stage : net.stages) {
    check_sizes(config, {stage.out, stage.width, stage.stride});
    check_sizes(config, {stage.depth}, 1000);
    const auto narrow = stage.width / net.first_reduction;
    const bool divides = narrow % net.groups == 0 && stage.width % net.groups == 0;
    if (narrow > 0 && (divides || stage.unit == ResidualUnit::basic)) continue;
    throw Error(ErrorKind::model,
                fmt::format("a block of {} channels, {} in its first convolution, cannot be convolved "
                            "in {} groups",
                            stage.width, narrow, net.groups));
  }
}

ResidualUnit unit_named(const std::string& name) {
  if (name == "BasicBlock" || name == "basic") return ResidualUnit::basic;
  if (name == "Bottleneck" || name == "bottleneck") return ResidualUnit::bottleneck;
  throw Error(ErrorKind::model, fmt::format("blocks \"{}\" are not supported; expected BasicBlock or Bottleneck "
                                            "(transformers: basic or bottleneck)",
                                            name));
}

// One block for all stages, or one for each.
ResidualUnit unit_of_stage(const Json& arguments, std::size_t stage) {
  const Json block = arguments.value("block", Json("BasicBlock"));
  if (!block.is_array()) return unit_named(layer_name(block));
  if (block.empty()) throw Error(ErrorKind::model, "argument \"block\": expected a block, found none");
  return unit_named(layer_name(block[std::min(stage, block.size() - 1)]));
}

void read_stages(ResNetConfig& net, const Json& arguments) {
  const auto depths = get_or<std::vector<std::int64_t>>(arguments, "layers", {2, 2, 2, 2});
  const auto planes = get_or<std::vector<std::int64_t>>(arguments, "channels", {64, 128, 256, 512});
  const auto base = get_or(arguments, "base_width", get_or<std::int64_t>(arguments, "width_per_group", 64));
  if (depths.size() != planes.size())
    throw Error(ErrorKind::model,
                fmt::format("expected as many layers as channels, found {} and {}", depths.size(), planes.size()));
  check_sizes(arguments, planes);
  check_sizes(arguments, {base, net.groups}, 4096);
  for (std::size_t i = 0; i < depths.size(); ++i) {
    const auto unit = unit_of_stage(arguments, i);
    const bool basic = unit == ResidualUnit::basic;
    net.stages.push_back({.unit = unit,
                          .depth = depths[i],
                          .out = basic ? planes[i] : 4 * planes[i],
                          .width = basic ? planes[i] : planes[i] * base / 64 * net.groups,
                          .stride = i == 0 ? 1 : 2});
  }
}

void read_stem(ResNetConfig& net, const Json& arguments) {
  const auto type = get_or<std::string>(arguments, "stem_type", "");
  const auto width = get_or<std::int64_t>(arguments, "stem_width", 64);
  if (type == "deep" || type == "deep_tiered") {
    net.stem = ResNetStem::deep;
    net.stem_channels = {type == "deep" ? width : 3 * (width / 4), width, 2 * width};
  } else if (!type.empty()) {
    throw Error(ErrorKind::model, fmt::format("stem_type \"{}\" is not supported; expected deep, deep_tiered or "
                                              "nothing",
                                              type));
  }
  if (get_or(arguments, "replace_stem_pool", false)) net.stem_pool = StemPool::convolution;
}

void read_anti_alias(ResNetConfig& net, const Json& arguments) {
  const auto layer = arguments.find("aa_layer");
  if (layer == arguments.end() || layer->is_null()) return;
  const auto name = layer_name(*layer);
  if (name == "AvgPool2d" || name == "avg" || name == "avgpool")
    net.anti_alias = AntiAlias::average;
  else if (*layer == "BlurPool2d" || name == "blur" || name == "blurpool")
    net.anti_alias = AntiAlias::blur;
  else
    throw Error(ErrorKind::model,
                fmt::format("aa_layer {} is not supported; expected AvgPool2d or BlurPool2d", layer->dump()));
  if (net.stem_pool == StemPool::convolution)
    throw Error(ErrorKind::model, "replace_stem_pool together with aa_layer is not supported");
}

void read_gate(ResNetConfig& net, const Json& arguments) {
  const Json block = arguments.contains("block_args") && arguments["block_args"].is_object() ? arguments["block_args"]
                                                                                             : Json::object();
  refuse_further_arguments(block, {"attn_layer"});
  const auto layer = block.find("attn_layer");
  if (layer == block.end() || layer->is_null()) return;
  const auto name = layer_name(*layer);
  if (name == "se" || name == "SEModule")
    net.gate = ChannelGate::squeeze_excite;
  else if (*layer == "eca" || *layer == "EcaModule")
    net.gate = ChannelGate::efficient;
  else
    throw Error(ErrorKind::model, fmt::format("attn_layer {} is not supported; expected se or eca", layer->dump()));
  if (!layer->is_object()) return;
  Json options = *layer;
  options.erase("class");
  refuse_further_arguments(options, {"rd_ratio"});
  net.gate_ratio = get_or(options, "rd_ratio", net.gate_ratio);
  if (!(net.gate_ratio > 0 && net.gate_ratio <= 64))
    throw Error(ErrorKind::model, fmt::format("rd_ratio: expected above 0 and up to 64, found {}", net.gate_ratio));
}

// Sizes that the tensors show: a file may hold fewer blocks, channels or classes than its architecture's name says.
void read_sizes_of_tensors(ResNetConfig& net, const Source& source) {
  const auto rows = [&](const std::string& key, std::int64_t fallback) {
    const auto shape = source.shape(key);
    return shape && !shape->empty() ? shape->front() : fallback;
  };
  const bool deep = net.stem == ResNetStem::deep;
  for (std::size_t i = 0; i < net.stem_channels.size(); ++i) {
    const auto key = deep ? fmt::format("conv1.{}.weight", 3 * i) : "conv1.weight";
    if (const auto shape = source.shape(key); i == 0 && shape && shape->size() == 4) net.channels = (*shape)[1];
    net.stem_channels[i] = rows(key, net.stem_channels[i]);
  }
  for (std::size_t i = 0; i < net.stages.size(); ++i) {
    auto& stage = net.stages[i];
    const auto layer = fmt::format("layer{}.", i + 1);
    std::int64_t depth = 0;
    while (source.has_key(fmt::format("{}{}.conv1.weight", layer, depth))) ++depth;
    if (depth > 0) stage.depth = depth;
    const bool basic = stage.unit == ResidualUnit::basic;
    stage.width = rows(layer + (basic ? "0.conv1.weight" : "0.conv2.weight"), stage.width);
    stage.out = rows(layer + (basic ? "0.conv2.weight" : "0.conv3.weight"), stage.out);
    const auto grouped = source.shape(layer + "0.conv2.weight");
    if (!basic && grouped && grouped->size() == 4 && (*grouped)[1] > 0)
      net.groups = stage.width / net.first_reduction / (*grouped)[1];
  }
  for (const std::string head : {"fc.weight", "linear.weight"}) net.classes = rows(head, net.classes);
}

// timm's gates are 1x1 convolutions.
weights::KeyTable resnet_keys_of_libraries(const ResNetConfig& net) {
  weights::KeyTable table;
  if (net.gate == ChannelGate::squeeze_excite) {
    for (const std::string layer : {"fc1", "fc2"}) {
      const auto key = "*.*.se." + layer + ".weight";
      table.rules.push_back({key, {key}, {0, 0, 1, 1}});
    }
  }
  if (net.classes == 0) table.dropped = {"fc.*"};
  return table;
}

bool has_head(const Source& source) {
  const auto classes = get_or(source.config, "architectures", std::vector<std::string>{});
  if (!classes.empty()) return classes.front().find("ForImageClassification") != std::string::npos;
  return source.has_key("classifier.1.weight");
}

}  // namespace

weights::KeyTable resnet_keys_of_transformers(const ResNetConfig& net) {
  weights::KeyTable table{.publisher = "transformers", .prefixes = {"resnet.", ""}};
  const std::string stem = "@embedder.embedder.";
  table.rules = {{"conv1.weight", {stem + "convolution.weight"}}, {"bn1.*", {stem + "normalization.*"}}};
  for (std::size_t i = 0; i < net.stages.size(); ++i) {
    const auto own = fmt::format("layer{}.*.", i + 1), block = fmt::format("@encoder.stages.{}.layers.*.", i);
    for (int k = 1; k <= 3; ++k) {
      const auto layer = fmt::format("{}layer.{}.", block, k - 1);
      table.rules.push_back({fmt::format("{}conv{}.weight", own, k), {layer + "convolution.weight"}});
      table.rules.push_back({fmt::format("{}bn{}.*", own, k), {layer + "normalization.*"}});
    }
    table.rules.push_back({own + "downsample.0.weight", {block + "shortcut.convolution.weight"}});
    table.rules.push_back({own + "downsample.1.*", {block + "shortcut.normalization.*"}});
  }
  table.rules.push_back({"fc.*", {"classifier.1.*"}});
  if (net.classes == 0) table.dropped = {"classifier.**"};
  return table;
}

ResNetConfig resnet_config_from_transformers(const Source& source) {
  const Json& config = source.config;
  ResNetConfig net{.pooled_map = true};
  net.channels = get_or(config, "num_channels", net.channels);
  net.stem_channels = {get_or<std::int64_t>(config, "embedding_size", 64)};
  net.activation = ops::activation_from_name(get_or<std::string>(config, "hidden_act", "relu"));
  net.stride_in_first = get_or(config, "downsample_in_bottleneck", false);
  const auto outs = get_or<std::vector<std::int64_t>>(config, "hidden_sizes", {256, 512, 1024, 2048});
  const auto depths = get_or<std::vector<std::int64_t>>(config, "depths", {3, 4, 6, 3});
  const auto unit = unit_named(get_or<std::string>(config, "layer_type", "bottleneck"));
  if (outs.size() != depths.size() || outs.empty())
    throw Error(ErrorKind::model, fmt::format("expected as many hidden_sizes as depths, and one at least, found {} "
                                              "and {}",
                                              outs.size(), depths.size()));
  const bool basic = unit == ResidualUnit::basic, first_stage = get_or(config, "downsample_in_first_stage", false);
  for (std::size_t i = 0; i < outs.size(); ++i)
    net.stages.push_back({.unit = unit,
                          .depth = depths[i],
                          .out = outs[i],
                          .width = basic ? outs[i] : outs[i] / 4,
                          .stride = i > 0 || first_stage ? 2 : 1});
  net.classes = source.classes.value_or(has_head(source) ? label_count(config) : 0);
  check_resnet(net, config);
  return net;
}

ResNetConfig resnet_config_from_arguments(const Source& source) {
  const Json& arguments = source.config;
  refuse_further_arguments(arguments, {"block",
                                       "layers",
                                       "channels",
                                       "num_classes",
                                       "in_chans",
                                       "output_stride",
                                       "global_pool",
                                       "cardinality",
                                       "groups",
                                       "base_width",
                                       "width_per_group",
                                       "stem_width",
                                       "stem_type",
                                       "replace_stem_pool",
                                       "block_reduce_first",
                                       "down_kernel_size",
                                       "avg_down",
                                       "act_layer",
                                       "norm_layer",
                                       "aa_layer",
                                       "block_args"});
  require_argument(arguments, "output_stride", 32);
  if (layer_name(arguments.value("norm_layer", Json("BatchNorm2d"))) != "batchnorm2d")
    require_argument(arguments, "norm_layer", "BatchNorm2d");
  ResNetConfig net;
  net.image_size = pair_or(arguments, "img_size", 224);
  net.channels = get_or(arguments, "in_chans", net.channels);
  net.classes = get_or(arguments, "num_classes", net.classes);
  net.groups = get_or(arguments, "cardinality", get_or(arguments, "groups", net.groups));
  net.first_reduction = get_or(arguments, "block_reduce_first", net.first_reduction);
  net.projection_kernel = get_or(arguments, "down_kernel_size", net.projection_kernel);
  if (get_or(arguments, "avg_down", false)) net.shortcut = Shortcut::pooled_projection;
  net.activation = net.inner_activation = activation_argument(arguments, "act_layer", net.activation);
  net.pool = pool_named(get_or<std::string>(arguments, "global_pool", "avg"));
  net.head_dropout = get_or(arguments, "drop_rate", 0.0);
  net.drop_path = get_or(arguments, "drop_path_rate", 0.0);
  read_stages(net, arguments);
  read_stem(net, arguments);
  read_anti_alias(net, arguments);
  read_gate(net, arguments);
  if (source.sizes_from_shapes) read_sizes_of_tensors(net, source);
  if (source.classes) net.classes = *source.classes;
  check_resnet(net, arguments);
  return net;
}

Built build_resnet(const Source& source) {
  const bool hub = source.publisher == Publisher::transformers;
  const auto config = hub ? resnet_config_from_transformers(source) : resnet_config_from_arguments(source);
  return {std::make_unique<ResNet>(config),
          hub ? resnet_keys_of_transformers(config) : resnet_keys_of_libraries(config),
          {"fc"}};
}

// The paper's own shortcuts have no weights; other implementations have convolutions there.
Built build_cifar_resnet(const Source& source) {
  const auto depth = get_or<std::int64_t>(source.config, "depth", 20);
  check_sizes(source.config, {depth}, 2000);
  auto net = cifar_resnet(depth);
  net.classes = get_or(source.config, "num_classes", net.classes);
  if (source.has_key("layer2.0.downsample.0.weight")) net.shortcut = Shortcut::projection;
  if (source.sizes_from_shapes) read_sizes_of_tensors(net, source);
  if (source.classes) net.classes = *source.classes;
  check_resnet(net, source.config);
  weights::KeyTable table;
  if (source.has_key("linear.weight")) table.rules = {{"fc.*", {"linear.*"}}};
  if (net.classes == 0) table.dropped = {"fc.*", "linear.*"};
  return {std::make_unique<ResNet>(std::move(net)), std::move(table), {"fc"}};
}

}  // namespace nunchi::models
