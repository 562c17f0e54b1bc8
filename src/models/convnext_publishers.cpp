#include "models/convnext_publishers.h"

#include "models/arguments.h"

namespace nunchi::models {
namespace {

void check_convnext(const ConvNextConfig& net, const Json& config) {
  if (net.dims.empty() || net.depths.size() != net.dims.size() || net.kernels.size() != net.dims.size()) {
    throw Error(ErrorKind::model, fmt::format("expected a depth, a width and a kernel for each stage, found {} depths, "
                                              "{} widths and {} kernels",
                                              net.depths.size(), net.dims.size(), net.kernels.size()));
  }
  check_sizes(config, {net.image_size[0], net.image_size[1], net.channels, net.stem.patch[0], net.stem.patch[1]});
  check_sizes(config, net.dims, 1 << 18);
  check_sizes(config, net.depths, 1000);
  check_sizes(config, net.kernels, 255);
  check_sizes(config, {net.stem.overlapping.value_or(1), net.head_hidden.value_or(1)});
  if (net.classes != 0) check_sizes(config, {net.classes});
  for (const auto kernel : net.kernels) {
    if (kernel % 2 == 0)
      throw Error(ErrorKind::model, fmt::format("kernel sizes: expected odd ones, found {}", kernel));
  }
}

// The nearest multiple of 8, but never more than 10 % below the value.
std::int64_t multiple_of_8(std::int64_t value) {
  const auto nearest = std::max<std::int64_t>((value + 4) / 8 * 8, 8);
  return 10 * nearest < 9 * value ? nearest + 8 : nearest;
}

void read_stem(ConvNextConfig& net, const Json& arguments) {
  const auto type = get_or<std::string>(arguments, "stem_type", "patch");
  if (type == "patch") {
    const auto patch = get_or<std::int64_t>(arguments, "patch_size", 4);
    if (patch < 1 || patch > 4)  // the last stages would be dilated to keep a stride of 32
      throw Error(ErrorKind::model, fmt::format("patch_size: expected 1 to 4, found {}", patch));
    net.stem.patch = {patch, patch};
    net.first_stage_halves = patch == 2;
    return;
  }
  if (type != "overlap" && type != "overlap_tiered" && type != "overlap_act") {
    throw Error(ErrorKind::model, fmt::format("stem_type \"{}\" is not supported; expected patch, overlap, "
                                              "overlap_tiered or overlap_act",
                                              type));
  }
  net.stem.overlapping = type == "overlap_tiered" ? multiple_of_8(net.dims.at(0) / 2) : net.dims.at(0);
  net.stem.activated = type == "overlap_act";
}

std::vector<std::int64_t> kernels_of(const Json& arguments, std::size_t stages) {
  const auto found = arguments.find("kernel_sizes");
  if (found != arguments.end() && found->is_array())
    return get_or<std::vector<std::int64_t>>(arguments, "kernel_sizes", {});
  return std::vector<std::int64_t>(stages, get_or<std::int64_t>(arguments, "kernel_sizes", 7));
}

// Sizes that the tensors show, under timm's names.
void read_sizes_of_tensors(ConvNextConfig& net, const weights::KeyTable& keys, const Source& source) {
  const auto shape_of = [&](const std::string& own) { return source.shape(keys.their_names(own, "").front()); };
  if (const auto stem = shape_of("stem.0.weight"); stem && stem->size() == 4) {
    net.channels = (*stem)[1];
    if (net.stem.overlapping) net.stem.overlapping = stem->front();
  }
  for (std::size_t i = 0; i < net.dims.size(); ++i) {
    std::int64_t depth = 0;
    const auto block = [&](std::int64_t b) {
      return shape_of(fmt::format("stages.{}.blocks.{}.conv_dw.weight", i, b));
    };
    while (block(depth)) ++depth;
    if (depth > 0) net.depths[i] = depth;
    if (const auto shape = block(0); shape && shape->size() == 4) {
      net.dims[i] = shape->front();
      net.kernels[i] = shape->back();
    }
  }
  if (const auto hidden = shape_of("head.pre_logits.fc.weight"); hidden && !hidden->empty())
    net.head_hidden = hidden->front();
  if (const auto head = shape_of("head.fc.weight"); head && !head->empty()) net.classes = head->front();
}

weights::KeyTable keys_of_transformers(const ConvNextConfig& net) {
  weights::KeyTable table{.publisher = "transformers", .prefixes = {"convnext.", "convnextv2.", ""}};
  const std::string stage = "@encoder.stages.*.", layer = stage + "layers.*.";
  const std::string own = "stages.*.blocks.*.";
  table.rules = {{"stem.0.*", {"@embeddings.patch_embeddings.*"}},
                 {"stem.1.*", {"@embeddings.layernorm.*"}},
                 {"stages.*.downsample.*.*", {stage + "downsampling_layer.*.*"}},
                 {own + "conv_dw.*", {layer + "dwconv.*"}},
                 {own + "norm.*", {layer + "layernorm.*"}},
                 {own + "mlp.fc1.*", {layer + "pwconv1.*"}},
                 {own + "mlp.grn.*", {layer + "grn.*"}, {1, 1, 1, 0}},
                 {own + "mlp.fc2.*", {layer + "pwconv2.*"}},
                 {own + "gamma", {layer + "layer_scale_parameter"}},
                 {"head.norm.*", {"@layernorm.*"}},
                 {"head.fc.*", {"classifier.*"}}};
  if (net.classes == 0) table.dropped = {"classifier.*"};
  return table;
}

// A convolution of 1x1 is a linear layer.
weights::KeyTable keys_of_timm(const ConvNextConfig& net, bool conv_mlp) {
  weights::KeyTable table;
  if (conv_mlp) {
    for (const std::string layer : {"fc1", "fc2"}) {
      const auto key = "stages.*.blocks.*.mlp." + layer + ".weight";
      table.rules.push_back({key, {key}, {0, 0, 1, 1}});
    }
  }
  if (net.classes == 0) table.dropped = {"head.fc.*"};
  return table;
}

// torchvision's stages and the layers between them are one sequence.
weights::KeyTable keys_of_torchvision(const ConvNextConfig& net) {
  weights::KeyTable table;
  table.rules = {
      {"stem.*.*", {"features.0.*.*"}}, {"head.norm.*", {"classifier.0.*"}}, {"head.fc.*", {"classifier.2.*"}}};
  for (std::size_t i = 0; i < net.dims.size(); ++i) {
    const auto own = fmt::format("stages.{}.blocks.*.", i), block = fmt::format("features.{}.*.", 2 * i + 1);
    table.rules.push_back({fmt::format("stages.{}.downsample.*.*", i), {fmt::format("features.{}.*.*", 2 * i)}});
    table.rules.push_back({own + "conv_dw.*", {block + "block.0.*"}});
    table.rules.push_back({own + "norm.*", {block + "block.2.*"}});
    table.rules.push_back({own + "mlp.fc1.*", {block + "block.3.*"}});
    table.rules.push_back({own + "mlp.fc2.*", {block + "block.5.*"}});
    table.rules.push_back({own + "gamma", {block + "layer_scale"}, {0, 1, 1}});
  }
  if (net.classes == 0) table.dropped = {"classifier.2.*"};
  return table;
}

bool has_head(const Source& source) {
  const auto classes = get_or(source.config, "architectures", std::vector<std::string>{});
  if (!classes.empty()) return classes.front().find("ForImageClassification") != std::string::npos;
  return source.has_key("classifier.weight");
}

}  // namespace

ConvNextConfig convnext_config_from_transformers(const Source& source) {
  const Json& config = source.config;
  ConvNextConfig net;
  net.image_size = pair_or(config, "image_size", 224);
  net.channels = get_or(config, "num_channels", net.channels);
  net.stem.patch = pair_or(config, "patch_size", 4);
  net.dims = get_or(config, "hidden_sizes", net.dims);
  net.depths = get_or(config, "depths", net.depths);
  net.kernels.assign(net.dims.size(), 7);
  net.activation = ops::activation_from_name(get_or<std::string>(config, "hidden_act", "gelu"));
  net.head_eps = get_or(config, "layer_norm_eps", 1e-12);
  net.response_norm = source.name == "convnextv2";
  net.layer_scale = !net.response_norm && get_or(config, "layer_scale_init_value", 1e-6) > 0;
  net.drop_path = get_or(config, "drop_path_rate", 0.0);
  net.classes = source.classes.value_or(has_head(source) ? label_count(config) : 0);
  check_convnext(net, config);
  const auto stages = get_or(config, "num_stages", static_cast<std::int64_t>(net.dims.size()));
  if (stages != static_cast<std::int64_t>(net.dims.size()))
    throw Error(ErrorKind::model, fmt::format("field \"num_stages\": expected {}, one for each of hidden_sizes, found "
                                              "{}",
                                              net.dims.size(), stages));
  return net;
}

ConvNextConfig convnext_config_from_timm(const Source& source) {
  const Json& arguments = source.config;
  refuse_further_arguments(
      arguments, {"in_chans", "num_classes", "global_pool", "output_stride", "depths", "dims", "kernel_sizes",
                  "ls_init_value", "stem_type", "patch_size", "head_norm_first", "head_hidden_size", "conv_mlp",
                  "conv_bias", "use_grn", "act_layer", "norm_layer", "norm_eps"});
  require_argument(arguments, "output_stride", 32);
  if (layer_name(arguments.value("norm_layer", Json("layernorm"))) != "layernorm2d")
    require_argument(arguments, "norm_layer", "layernorm");
  ConvNextConfig net;
  net.image_size = pair_or(arguments, "img_size", 224);
  net.channels = get_or(arguments, "in_chans", net.channels);
  net.classes = get_or(arguments, "num_classes", net.classes);
  net.depths = get_or(arguments, "depths", net.depths);
  net.dims = get_or(arguments, "dims", net.dims);
  net.kernels = kernels_of(arguments, net.dims.size());
  net.layer_scale = !arguments.contains("ls_init_value") || !arguments["ls_init_value"].is_null();
  net.response_norm = get_or(arguments, "use_grn", false);
  net.conv_bias = get_or(arguments, "conv_bias", true);
  net.head_dropout = get_or(arguments, "drop_rate", 0.0);
  net.drop_path = get_or(arguments, "drop_path_rate", 0.0);
  net.activation = activation_argument(arguments, "act_layer", net.activation);
  net.eps = net.head_eps = get_or(arguments, "norm_eps", net.eps);
  net.norm_before_pool = get_or(arguments, "head_norm_first", false);
  if (const auto hidden = get_or<std::int64_t>(arguments, "head_hidden_size", 0); hidden != 0) net.head_hidden = hidden;
  net.pool = pool_named(get_or<std::string>(arguments, "global_pool", "avg"));
  if (net.pool == ops::GlobalPool::both && !net.norm_before_pool)
    throw Error(ErrorKind::model, "global_pool catavgmax before the norm of the head is not supported");
  if (!net.dims.empty()) read_stem(net, arguments);
  if (source.sizes_from_shapes) read_sizes_of_tensors(net, {}, source);
  if (source.classes) net.classes = *source.classes;
  net.head_norm_affine = source.shapes.empty() || source.has_key("head.norm.weight");
  check_convnext(net, arguments);
  return net;
}

ConvNextConfig convnext_config_from_torchvision(const Source& source) {
  refuse_further_arguments(source.config, {"block_setting", "num_classes", "layer_scale"});
  ConvNextConfig net;
  net.classes = get_or(source.config, "num_classes", net.classes);
  net.drop_path = get_or(source.config, "stochastic_depth_prob", 0.0);
  net.dims.clear();
  net.depths.clear();
  for (const auto& stage : source.config.value("block_setting", Json::array())) {
    net.dims.push_back(stage.at(0).get<std::int64_t>());
    net.depths.push_back(stage.at(2).get<std::int64_t>());
  }
  net.kernels.assign(net.dims.size(), 7);
  if (source.sizes_from_shapes) read_sizes_of_tensors(net, keys_of_torchvision(net), source);
  if (source.classes) net.classes = *source.classes;
  check_convnext(net, source.config);
  return net;
}

Built build_convnext(const Source& source) {
  if (source.publisher == Publisher::transformers) {
    const auto net = convnext_config_from_transformers(source);
    return {std::make_unique<ConvNext>(net), keys_of_transformers(net), {"head.fc"}};
  }
  if (source.publisher == Publisher::torchvision) {
    const auto net = convnext_config_from_torchvision(source);
    return {std::make_unique<ConvNext>(net), keys_of_torchvision(net), {"head.fc"}};
  }
  const auto net = convnext_config_from_timm(source);
  const bool conv_mlp = get_or(source.config, "conv_mlp", false);
  return {std::make_unique<ConvNext>(net), keys_of_timm(net, conv_mlp), {"head.fc"}};
}

}  // namespace nunchi::models
