#include "models/resnet.h"

#include <ATen/ops/constant_pad_nd.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include "core/in_child.h"
#include "models/resnet_publishers.h"
#include "models/table_counts.h"
#include "nn/initialise.h"
#include "nn/named.h"
#include "ops/compare.h"
#include "weights/checkpoint.h"

namespace nunchi::models {
namespace {

using nn::named;
using testing::AllOf;
using testing::HasSubstr;

// Every part once: both units, groups, a deep stem, pooled shortcuts, blurred strides, gates.
ResNetConfig tiny() {
  return {.image_size = {64, 64},
          .classes = 5,
          .stem = ResNetStem::deep,
          .stem_channels = {6, 8, 16},
          .stages = {{.unit = ResidualUnit::basic, .depth = 2, .out = 16, .width = 16, .stride = 1},
                     {.unit = ResidualUnit::bottleneck, .depth = 2, .out = 32, .width = 16, .stride = 2},
                     {.unit = ResidualUnit::bottleneck, .depth = 1, .out = 48, .width = 8, .stride = 2}},
          .groups = 4,
          .shortcut = Shortcut::pooled_projection,
          .anti_alias = AntiAlias::blur,
          .gate = ChannelGate::squeeze_excite};
}

ResNetConfig plain() {
  return {.classes = 5,
          .stem_channels = {8},
          .stages = {{.unit = ResidualUnit::bottleneck, .depth = 1, .out = 16, .width = 4, .stride = 1},
                     {.unit = ResidualUnit::basic, .depth = 2, .out = 24, .width = 24, .stride = 2}}};
}

// Values as in a trained network: the map neither grows nor dies.
void randomise_gently(nn::Module& net, std::uint64_t seed) {
  randomise(net, seed);
  for (const auto& [name, slot] : net.tensors()) {
    if (name.find(".bn") != std::string::npos && name.ends_with(".weight")) slot->tensor->add_(1);
    if (name.ends_with(".1.weight") && slot->shape.size() == 1) slot->tensor->add_(1);
  }
}

Source from_timm(Json arguments) {
  return {.publisher = Publisher::timm, .name = "ResNet", .config = std::move(arguments)};
}

TEST(ResNet, HasThePublishedParameterCounts) {  // R030
  EXPECT_EQ(ResNet(resnet18()).parameter_count(), 11'689'512);
  EXPECT_EQ(ResNet(resnet50()).parameter_count(), 25'557'032);
}

TEST(ResNet, HasTheParameterCountsOfTimm) {
  expect_table_counts(
      Publisher::timm, "ResNet",
      {"ecaresnet50d_pruned", "ecaresnet101d_pruned",  // thinned channel by channel
       "resnet50_gn",                                  // group normalisation
       "res2net50_14w_8s",    "res2net50_26w_4s",     "res2net50_26w_6s",  "res2net50_26w_8s",
       "res2net50_48w_2s",    "res2net50d",           "res2net101_26w_4s", "res2net101d",
       "res2next50",  // Res2Net's blocks
       "resnest14d",          "resnest26d",           "resnest50d",        "resnest50d_1s4x24d",
       "resnest50d_4s2x40d",  "resnest101e",          "resnest200e",       "resnest269e",  // split attention
       "skresnet18",          "skresnet34",           "skresnet50",        "skresnet50d",
       "skresnext50_32x4d"});  // selective kernels
}

TEST(ResNet, HasTheParameterCountsOfTorchvision) { expect_table_counts(Publisher::torchvision, "ResNet"); }

TEST(ResNet, CostsWhatTorchvisionSays) {  // its documented GFLOPS, which are multiply-accumulates
  ResNet small(resnet18()), large(resnet50());
  EXPECT_NEAR(static_cast<double>(count_macs(small, {3, 224, 224})), 1.814e9, 0.001e9);
  EXPECT_NEAR(static_cast<double>(count_macs(large, {3, 224, 224})), 4.089e9, 0.001e9);
}

TEST(ResNet, GivesAPyramidOfFeatureMaps) {  // R019
  for (auto config : {tiny(), plain()}) {
    ResNet net(config);
    randomise_gently(net, 1);
    const c10::InferenceMode inference;
    const auto output = net.forward(random({2, 3, 64, 96}, 2), {.hidden_states = true});
    ASSERT_EQ(output.hidden_states.size(), config.stages.size() + 1);
    ASSERT_EQ(output.feature_maps.size(), config.stages.size());
    for (std::size_t i = 0; i < output.feature_maps.size(); ++i) {
      EXPECT_EQ(output.feature_maps[i].sizes(), at::IntArrayRef({2, config.stages[i].out, 16 >> i, 24 >> i})) << i;
      EXPECT_TRUE(same(output.feature_maps[i], output.hidden_states[i + 1]));
    }
    EXPECT_TRUE(output.last_hidden_state.is_contiguous(at::MemoryFormat::ChannelsLast));
    EXPECT_LT(difference(output.pooler_output, output.last_hidden_state.mean({2, 3})), 1e-6);
    EXPECT_EQ(output.logits.sizes(), at::IntArrayRef({2, 5}));
  }
}

TEST(ResNet, AddsWhatTheConvolutionsFind) {  // equation 1
  ResNet net(plain());
  randomise(net, 1);
  const Tensor image = random({1, 3, 32, 32}, 2);
  named(net, "layer2.1.bn2.weight").zero_();
  named(net, "layer2.1.bn2.bias").zero_();
  const auto with = net.forward(image).last_hidden_state;
  auto shallow = plain();
  shallow.stages[1].depth = 1;
  ResNet less(shallow);
  for (const auto& [name, slot] : less.tensors()) *slot->tensor = named(net, name);
  EXPECT_LT(difference(with, less.forward(image).last_hidden_state),
            1e-6);  // a block that finds nothing changes nothing
}

TEST(ResNet, TakesAnySize) {
  ResNet net(plain());
  randomise(net, 1);
  const c10::InferenceMode inference;
  for (const auto& [h, w] : {std::pair{1, 1}, {20, 20}, {47, 59}, {33, 128}}) {
    const auto output = net.forward(random({1, 3, h, w}, 2));
    EXPECT_EQ(output.grid, (nn::Grid{(h + 7) / 8, (w + 7) / 8}));
    EXPECT_TRUE(all_finite(output.logits));
  }
}

TEST(ResNet, SaysThatAPictureIsTooSmallToBlur) {
  ResNet net(tiny());
  randomise(net, 1);
  EXPECT_THAT(error_of([&] { net.forward(random({1, 3, 2, 64}, 2)); }), HasSubstr("too small"));
  EXPECT_THAT(error_of([&] { net.forward(random({1, 4, 64, 64}, 2)); }), HasSubstr("[b, 3, h, w]"));
}

TEST(ResNet, IsTheSameFrozen) {
  for (auto config : {tiny(), plain()}) {
    for (const auto gate : {ChannelGate::none, ChannelGate::squeeze_excite, ChannelGate::efficient}) {
      for (const auto shortcut : {Shortcut::projection, Shortcut::pooled_projection, Shortcut::padding}) {
        config.gate = gate;
        config.shortcut = shortcut;
        ResNet net(config);
        randomise_gently(net, 3);
        const Tensor image = random({2, 3, 61, 64}, 4);
        const auto expected = net.forward(image);
        for (const auto precision : {nn::Precision::fp32, nn::Precision::bf16}) {
          weights::freeze(net, precision);
          const c10::InferenceMode inference;
          const auto output = net.forward(image.to(nn::activation_dtype(precision)), {.hidden_states = true});
          const double tolerance = precision == nn::Precision::fp32 ? 1e-5 : 0.05;
          EXPECT_LT(difference(output.last_hidden_state, expected.last_hidden_state), tolerance);
          EXPECT_LT(difference(output.logits, expected.logits), tolerance);
          for (const auto& state : output.hidden_states)
            EXPECT_EQ(state.scalar_type(), nn::activation_dtype(precision));
        }
        weights::thaw(net);
        EXPECT_TRUE(same(net.forward(image).logits, expected.logits));
      }
    }
  }
}

TEST(ResNet, CanBeTrained) {
  ResNet net(tiny());
  net.initialise(nn::seeded(1));
  for (const auto& [name, slot] : net.tensors()) {
    if (slot->trainable) slot->tensor->requires_grad_();
  }
  net.train(true);
  net.forward(random({4, 3, 64, 64}, 2)).logits.pow(2).sum().backward();
  for (const auto& [name, slot] : net.tensors()) {
    if (!slot->trainable) continue;
    ASSERT_TRUE(slot->tensor->grad().defined()) << name;
    EXPECT_TRUE(all_finite(slot->tensor->grad())) << name;
  }
  EXPECT_EQ(named(net, "bn1.num_batches_tracked").item<std::int64_t>(), 1);
}

TEST(ResNet, PoolsAsTimmNamesIt) {
  auto config = plain();
  for (const auto& [pool, width] : {std::pair{ops::GlobalPool::max, 24}, {ops::GlobalPool::both, 48}}) {
    config.pool = pool;
    ResNet net(config);
    randomise(net, 1);
    const auto output = net.forward(random({2, 3, 64, 64}, 2));
    EXPECT_EQ(output.pooler_output.sizes(), at::IntArrayRef({2, width}));
    EXPECT_LT(difference(output.pooler_output.slice(1, width - 24), output.last_hidden_state.amax({2, 3})), 1e-6);
  }
}

TEST(ResNet, RefusesArgumentsThatItDoesNotKnow) {
  for (const auto& [arguments, named] :
       {std::pair{R"({"output_stride": 8})", "output_stride"},
        {R"({"aa_layer": "Median"})", "Median"},
        {R"({"norm_layer": "groupnorm"})", "groupnorm"},
        {R"({"block": "Bottle2neck"})", "Bottle2neck"},
        {R"({"block": []})", "block"},
        {R"({"stem_type": "patch"})", "patch"},
        {R"({"global_pool": ""})", "global_pool"},
        {R"({"block_args": {"attn_layer": "cbam"}})", "cbam"},
        {R"({"block_args": {"radix": 2}})", "radix"},
        {R"({"pruned": true})", "pruned"},
        {R"({"act_layer": "swirl"})", "swirl"},
        {R"({"replace_stride_with_dilation": [false, true, false]})", "replace_stride_with_dilation"},
        {R"({"layers": [2, 2]})", "layers"},
        {R"({"layers": [2, 2, 2, 100000]})", "1000"},
        {R"({"block": "Bottleneck", "cardinality": 3, "block_reduce_first": 5})", "3"}}) {
    EXPECT_THAT(error_of([&] { build_resnet(from_timm(Json::parse(arguments))); }), HasSubstr(named)) << arguments;
  }
}

TEST(ResNet, TakesSizesFromTheTensorsOfABareStateDict) {
  ResNetConfig config = resnet50();
  config.classes = 7;
  config.groups = 2;
  config.stem_channels = {8};
  for (auto& stage : config.stages) stage = {stage.unit, 2, stage.out / 16, stage.width / 8, stage.stride};
  ResNet small(config);
  Source source{.publisher = Publisher::torchvision, .name = "ResNet"};
  source.config = Json::parse(R"({"block": "Bottleneck", "layers": [3, 4, 6, 3]})");
  source.sizes_from_shapes = true;
  for (const auto& [name, slot] : small.tensors()) source.shapes[name] = slot->shape;
  const auto built = build_resnet(source);
  EXPECT_EQ(built.model->parameter_count(), small.parameter_count());
  EXPECT_EQ(built.model->classes(), 7);
}

TEST(CifarResNet, HasThePapersSizes) {  // section 4.2, table 6: 0.27, 0.46, 0.66, 0.85 and 1.7 million
  for (const auto& [depth, parameters] :
       {std::pair{20, 269'722}, {32, 464'154}, {44, 658'586}, {56, 853'018}, {110, 1'727'962}}) {
    const auto built = build_named("resnet" + std::to_string(depth) + "_cifar");
    EXPECT_EQ(built.model->parameter_count(), parameters);
    EXPECT_EQ(built.model->input_shape(), (Shape{3, 32, 32}));
    EXPECT_EQ(built.model->classes(), 10);
  }
}

TEST(CifarResNet, ShortensByEverySecondPixelAndZeros) {  // option A
  ResNet net(cifar_resnet(20));
  randomise(net, 1);
  for (const std::string part : {"weight", "bias"}) named(net, "layer2.0.bn2." + part).zero_();
  const auto states = net.forward(random({1, 3, 32, 32}, 2), {.hidden_states = true}).hidden_states;
  ASSERT_EQ(states.size(), 4u);
  EXPECT_EQ(states[0].sizes(), at::IntArrayRef({1, 16, 32, 32}));
  EXPECT_EQ(states[3].sizes(), at::IntArrayRef({1, 64, 8, 8}));
  auto shallow = cifar_resnet(20);
  shallow.stages[1].depth = 1;
  ResNet less(shallow);
  for (const auto& [name, slot] : less.tensors()) *slot->tensor = named(net, name);
  const auto first = less.forward(random({1, 3, 32, 32}, 2), {.hidden_states = true}).hidden_states;
  const Tensor expected = at::constant_pad_nd(first[1].slice(2, 0, 32, 2).slice(3, 0, 32, 2), {0, 0, 0, 0, 8, 8});
  EXPECT_LT(difference(first[2], expected), 1e-6);
}

TEST(CifarResNet, IsNormalisedAsItWasTrained) {  // R063: each set of constants has its name
  const auto deviation = [](const std::string& name, const std::string& head) {
    const auto found = find_architecture(name, {{head, {10, 64}}});
    return found.pictures.at("std").at(0).get<double>();
  };
  EXPECT_EQ(deviation("resnet20_cifar", "fc.weight"), 0.2023);
  EXPECT_EQ(deviation("resnet110_cifar", "linear.weight"), 0.229);
  EXPECT_EQ(deviation("resnet20_cifar.cifar10", "linear.weight"), 0.2023);
  EXPECT_EQ(deviation("resnet56_cifar.cifar10_pixel_std", "fc.weight"), 0.247);
}

TEST(CifarResNet, TellsTheTwoPublishersApart) {
  Source source{.publisher = Publisher::original, .name = "CifarResNet", .config = Json::parse(R"({"depth": 20})")};
  const auto of_paper = build_cifar_resnet(source);
  source.shapes = {{"linear.weight", {100, 64}}};
  source.sizes_from_shapes = true;
  const auto linear = build_cifar_resnet(source);
  EXPECT_EQ(linear.keys.their_names("fc.weight", ""), std::vector<std::string>{"linear.weight"});
  EXPECT_EQ(linear.model->classes(), 100);
  source.shapes = {{"fc.weight", {10, 64}}, {"layer2.0.downsample.0.weight", {32, 16, 1, 1}}};
  const auto projected = build_cifar_resnet(source);
  EXPECT_EQ(projected.keys.their_names("fc.weight", ""), std::vector<std::string>{"fc.weight"});
  EXPECT_EQ(projected.model->parameter_count(), of_paper.model->parameter_count() + 16 * 32 + 32 * 64 + 2 * (32 + 64));
}

}  // namespace
}  // namespace nunchi::models
