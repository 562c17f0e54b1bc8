// A ResNet in the words of transformers and timm.
#include <algorithm>

#include "models/publish.h"
#include "models/resnet_publishers.h"

namespace nunchi::models {
namespace {

// What both of them have.
void check_common(const PublishCheck& check, const ResNetConfig& net) {
  check(net.stem == ResNetStem::plain && net.stem_pool == StemPool::max,
        "another stem than one convolution and a pool");
  check(net.groups == 1 && net.first_reduction == 1 && net.projection_kernel == 1, "convolutions of other shapes");
  check(net.shortcut == Shortcut::projection, "shortcuts that are no projections");
  check(net.anti_alias == AntiAlias::none && net.gate == ChannelGate::none, "blurred strides or gated channels");
  check(net.pool == ops::GlobalPool::average, "another pooling than the mean");
  const auto unit = net.stages.front().unit;
  for (const auto& stage : net.stages) {
    check(stage.unit == unit, "blocks of two kinds");
    check(stage.width == (unit == ResidualUnit::basic ? stage.out : stage.out / 4), "blocks of another width");
  }
}

Published as_transformers(const ResNetConfig& net) {
  const PublishCheck check("transformers' ResNet");
  check_common(check, net);
  check(net.inner_activation == net.activation, "two activations");
  std::vector<std::int64_t> outs, depths;
  for (const auto& stage : net.stages) {
    outs.push_back(stage.out);
    depths.push_back(stage.depth);
    check(&stage == &net.stages.front() || stage.stride == 2, "stages that keep the size");
  }
  return {.config = {{"model_type", "resnet"},
                     {"architectures", {net.classes > 0 ? "ResNetForImageClassification" : "ResNetModel"}},
                     {"num_channels", net.channels},
                     {"embedding_size", net.stem_channels.front()},
                     {"hidden_sizes", outs},
                     {"depths", depths},
                     {"layer_type", net.stages.front().unit == ResidualUnit::basic ? "basic" : "bottleneck"},
                     {"hidden_act", transformers_name(net.activation)},
                     {"downsample_in_first_stage", net.stages.front().stride == 2},
                     {"downsample_in_bottleneck", net.stride_in_first}},
          .keys = resnet_keys_of_transformers(net),
          .prefix = net.classes > 0 ? "resnet." : ""};
}

Published as_timm(const ResNetConfig& net) {
  const PublishCheck check("timm's ResNet");
  check_common(check, net);
  check(net.stem_channels.front() == 64, "a stem of other than 64 channels");
  check(!net.stride_in_first, "strides in the first convolution of a bottleneck");
  check(net.stages.size() == 4, "other than four stages");
  const bool basic = net.stages.front().unit == ResidualUnit::basic;
  std::vector<std::int64_t> planes, depths;
  for (const auto& stage : net.stages) {
    planes.push_back(basic ? stage.out : stage.out / 4);
    depths.push_back(stage.depth);
    check(stage.stride == (&stage == &net.stages.front() ? 1 : 2), "strides of other stages");
  }
  return {.config = {{"architecture", basic ? "resnet18" : "resnet50"},
                     {"model_args",
                      {{"in_chans", net.channels},
                       {"num_classes", net.classes},
                       {"layers", depths},
                       {"channels", planes},
                       {"act_layer", timm_name(net.activation)}}}},
          .keys = {},
          .prefix = ""};
}

}  // namespace

Published publish_resnet(const Model& model, Publisher publisher) {
  const auto& net = dynamic_cast<const ResNet&>(model).config();
  return publisher == Publisher::timm ? as_timm(net) : as_transformers(net);
}

}  // namespace nunchi::models
