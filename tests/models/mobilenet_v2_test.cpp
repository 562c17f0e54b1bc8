#include "models/mobilenet_v2.h"

#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include "core/in_child.h"
#include "models/mobilenet_v2_publishers.h"
#include "models/table_counts.h"
#include "nn/initialise.h"
#include "nn/named.h"
#include "ops/compare.h"

namespace nunchi::models {
namespace {

using testing::AllOf;
using testing::HasSubstr;

MobileNetV2Config tiny(std::int64_t output_stride = 32) {
  MobileNetV2Config config{.image_size = {64, 64}, .classes = 7};
  set_layers(config, {.depth_multiplier = 0.1,
                      .depth_divisible_by = 4,
                      .min_depth = 4,
                      .output_stride = output_stride,
                      .finegrained_output = false});
  return config;
}

TEST(MobileNetV2, RoundsChannelsAsTheOriginal) {
  const MobileNetV2Scaling half{.depth_multiplier = 0.5}, thin{.depth_multiplier = 0.35}, wide{.depth_multiplier = 1.4};
  EXPECT_EQ(half.scaled(24), 16);  // 12 lies between 8 and 16: up
  EXPECT_EQ(thin.scaled(32), 16);  // 11.2 -> 8 would lose more than a tenth
  EXPECT_EQ(wide.scaled(32), 48);  // 44.8 -> 45 -> 48
  EXPECT_EQ(thin.output_channels(), 1280);
  EXPECT_EQ(wide.output_channels(), 1792);
}

TEST(MobileNetV2, HasTheParameterCountsOfTimm) { expect_table_counts(Publisher::timm, "MobileNetV2"); }

TEST(MobileNetV2, HasTheParameterCountsOfTorchvision) { expect_table_counts(Publisher::torchvision, "MobileNetV2"); }

TEST(MobileNetV2, HalvesTheMapFiveTimesUnlessTheStrideIsLimited) {  // R019
  for (const auto& [stride, side] : {std::pair{32, 2}, {16, 4}, {8, 8}}) {
    for (const bool tf_padding : {true, false}) {
      auto config = tiny(stride);
      config.tf_padding = tf_padding;
      MobileNetV2 net(config);
      randomise(net, 1);
      const auto output = net.forward(random({2, 3, 64, 64}, 2), {.hidden_states = true});
      EXPECT_EQ(output.grid, (nn::Grid{side, side}));
      EXPECT_EQ(output.hidden_states.size(), 16u);
      EXPECT_EQ(output.logits.sizes(), at::IntArrayRef({2, 7}));
      EXPECT_LT(difference(output.pooler_output, output.last_hidden_state.mean({2, 3})), 1e-6);
    }
  }
}

TEST(MobileNetV2, TakesAnySize) {
  MobileNetV2 net(tiny());
  randomise(net, 1);
  const c10::InferenceMode inference;
  for (const auto& [h, w] : {std::pair{1, 1}, {20, 20}, {47, 59}, {33, 128}}) {
    const auto output = net.forward(random({1, 3, h, w}, 2));
    EXPECT_EQ(output.grid, (nn::Grid{(h + 31) / 32, (w + 31) / 32}));
    EXPECT_TRUE(all_finite(output.logits));
  }
}

TEST(MobileNetV2, RefusesPicturesWithOtherChannels) {
  MobileNetV2 net(tiny());
  randomise(net, 1);
  EXPECT_THAT(error_of([&] {
                net.forward(random({1, 1, 64, 64}, 1));
              }),
              AllOf(HasSubstr("[b, 3, h, w]"), HasSubstr("[1, 1, 64, 64]")));
  EXPECT_THAT(error_of([&] { net.forward(random({3, 64, 64}, 1)); }), HasSubstr("[3, 64, 64]"));
}

TEST(MobileNetV2, CanBeTrained) {
  MobileNetV2 net(tiny());
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
    EXPECT_GT(slot->tensor->grad().abs().max().item<double>(), 0) << name;
  }
}

TEST(MobileNetV2, GivesTheMapBeforeEachStride) {
  MobileNetV2 net(tiny());
  randomise(net, 1);
  const auto maps = net.forward(random({1, 3, 64, 64}, 2), {.hidden_states = true}).feature_maps;
  ASSERT_EQ(maps.size(), 5u);
  for (std::size_t i = 0; i < maps.size(); ++i) EXPECT_EQ(maps[i].size(2), 32 >> i);
}

TEST(MobileNetV2, TakesChannelsFromTheTensorsOfABareStateDict) {
  auto config = tiny();
  MobileNetV2 small(config);
  for (const auto publisher : {Publisher::timm, Publisher::torchvision}) {
    Source source{.publisher = publisher, .name = "MobileNetV2"};
    source.sizes_from_shapes = true;
    const auto keys = build_mobilenet_v2(source).keys;
    for (const auto& [name, slot] : small.tensors()) source.shapes[keys.their_names(name, "").front()] = slot->shape;
    EXPECT_EQ(build_mobilenet_v2(source).model->parameter_count(), small.parameter_count());
  }
}

TEST(MobileNetV2, RefusesArgumentsThatItDoesNotKnow) {
  for (const auto& [arguments, named] : {std::pair{R"({"pad_type": "same"})", "pad_type"},
                                         {R"({"channel_multiplier": -1})", "multipliers"},
                                         {R"({"depth_multiplier": 1.2})", "depth_multiplier"},
                                         {R"({"inverted_residual_setting": [[1, 16, 1, 1]]})", "inverted_residual"}}) {
    const Source source{.publisher = Publisher::timm, .name = "MobileNetV2", .config = Json::parse(arguments)};
    EXPECT_THAT(error_of([&] { build_mobilenet_v2(source); }), HasSubstr(named)) << arguments;
  }
}

}  // namespace
}  // namespace nunchi::models
