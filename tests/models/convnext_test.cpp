#include "models/convnext.h"

#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include "core/in_child.h"
#include "models/convnext_publishers.h"
#include "models/table_counts.h"
#include "nn/initialise.h"
#include "nn/named.h"
#include "ops/compare.h"
#include "weights/checkpoint.h"

namespace nunchi::models {
namespace {

using nn::named;
using testing::HasSubstr;

ConvNextConfig tiny() {
  return {.image_size = {64, 64}, .classes = 5, .depths = {1, 2, 1}, .dims = {8, 12, 16}, .kernels = {7, 5, 3}};
}

// Every part once.
std::vector<ConvNextConfig> variants() {
  auto v2 = tiny(), overlapping = tiny(), further_layer = tiny();
  v2.response_norm = true;
  v2.layer_scale = false;
  overlapping.stem = {.patch = {4, 4}, .overlapping = 6, .activated = true};
  overlapping.norm_before_pool = true;
  overlapping.conv_bias = false;
  further_layer.head_hidden = 9;
  further_layer.head_norm_affine = false;
  return {tiny(), v2, overlapping, further_layer};
}

TEST(ConvNext, HasThePublishedParameterCounts) {
  EXPECT_EQ(ConvNext(convnext_tiny()).parameter_count(), 28'589'128);  // table 1 of the paper: 29 million
  auto v2 = convnext_tiny();
  v2.response_norm = true;
  v2.layer_scale = false;
  EXPECT_EQ(ConvNext(v2).parameter_count(), 28'635'496);
}

TEST(ConvNext, HasTheParameterCountsOfTimm) {
  expect_table_counts(Publisher::timm, "ConvNeXt",
                      {"convnext_atto_rms", "convnext_zepto_rms", "convnext_zepto_rms_ols"});  // other norms
}

TEST(ConvNext, HasTheParameterCountsOfTorchvision) { expect_table_counts(Publisher::torchvision, "ConvNeXt"); }

TEST(ConvNext, CostsWhatTorchvisionSays) {
  ConvNext net(convnext_tiny());
  EXPECT_NEAR(static_cast<double>(count_macs(net, {3, 224, 224})), 4.456e9, 0.001e9);
}

TEST(ConvNext, GivesAPyramidOfFeatureMaps) {  // R019
  for (const auto& config : variants()) {
    ConvNext net(config);
    randomise(net, 1);
    const c10::InferenceMode inference;
    const auto output = net.forward(random({2, 3, 64, 96}, 2), {.hidden_states = true});
    ASSERT_EQ(output.hidden_states.size(), 4u);
    ASSERT_EQ(output.feature_maps.size(), 3u);
    for (std::size_t i = 0; i < 3; ++i)
      EXPECT_EQ(output.feature_maps[i].sizes(), at::IntArrayRef({2, config.dims[i], 16 >> i, 24 >> i})) << i;
    EXPECT_TRUE(output.last_hidden_state.is_contiguous(at::MemoryFormat::ChannelsLast));
    EXPECT_EQ(output.pooler_output.sizes(), at::IntArrayRef({2, config.head_hidden.value_or(16)}));
    EXPECT_EQ(output.logits.sizes(), at::IntArrayRef({2, 5}));
  }
}

TEST(ConvNext, AddsEachBlockScaledToItsInput) {
  ConvNext net(tiny());
  randomise(net, 1);
  const Tensor image = random({1, 3, 64, 64}, 2);
  named(net, "stages.0.blocks.0.gamma").zero_();
  const auto states = net.forward(image, {.hidden_states = true}).hidden_states;
  EXPECT_LT(difference(states[1], states[0]), 1e-6);
}

TEST(ConvNext, NormalisesThePooledFeaturesWithItsOwnEpsilon) {
  auto config = tiny();
  config.head_eps = 0.1;
  ConvNext net(config);
  randomise(net, 1);
  const auto output = net.forward(random({2, 3, 64, 64}, 2));
  const ops::LayerNormWeights norm{named(net, "head.norm.weight"), named(net, "head.norm.bias"), 0.1};
  EXPECT_LT(difference(output.pooler_output, ops::layer_norm(output.last_hidden_state.mean({2, 3}), norm)), 1e-5);
}

TEST(ConvNext, TakesAnySizeFromOnePixelOfTheLastMap) {
  ConvNext net(tiny());
  randomise(net, 1);
  const c10::InferenceMode inference;
  for (const auto& [h, w] : {std::pair{16, 16}, {20, 47}, {75, 128}}) {
    const auto output = net.forward(random({1, 3, h, w}, 2));
    EXPECT_EQ(output.grid, (nn::Grid{h / 16, w / 16}));
    EXPECT_TRUE(all_finite(output.logits));
  }
  EXPECT_THAT(error_of([&] { net.forward(random({1, 3, 15, 64}, 2)); }), HasSubstr("too small"));
  EXPECT_THAT(error_of([&] { net.forward(random({1, 1, 64, 64}, 2)); }), HasSubstr("[b, 3, h, w]"));
}

TEST(ConvNext, IsTheSameFrozen) {
  for (const auto& config : variants()) {
    ConvNext net(config);
    randomise(net, 3);
    const Tensor image = random({2, 3, 61, 64}, 4);
    const auto expected = net.forward(image);
    for (const auto precision : {nn::Precision::fp32, nn::Precision::bf16}) {
      weights::freeze(net, precision);
      const c10::InferenceMode inference;
      const auto output = net.forward(image.to(nn::activation_dtype(precision)), {.hidden_states = true});
      const double tolerance = precision == nn::Precision::fp32 ? 1e-5 : 0.05;
      EXPECT_LT(difference(output.last_hidden_state, expected.last_hidden_state), tolerance);
      EXPECT_LT(difference(output.logits, expected.logits), tolerance);
      for (const auto& state : output.hidden_states) EXPECT_EQ(state.scalar_type(), nn::activation_dtype(precision));
    }
    weights::thaw(net);
    EXPECT_TRUE(same(net.forward(image).logits, expected.logits));
  }
}

TEST(ConvNext, CanBeTrained) {
  for (const auto& config : variants()) {
    ConvNext net(config);
    net.initialise(nn::seeded(1));
    for (const auto& [name, slot] : net.tensors()) slot->tensor->requires_grad_();
    net.train(true);
    net.forward(random({2, 3, 64, 64}, 2)).logits.pow(2).sum().backward();
    for (const auto& [name, slot] : net.tensors()) {
      ASSERT_TRUE(slot->tensor->grad().defined()) << name;
      EXPECT_TRUE(all_finite(slot->tensor->grad())) << name;
    }
  }
}

Source from_timm(const char* arguments) {
  return {.publisher = Publisher::timm, .name = "ConvNeXt", .config = Json::parse(arguments)};
}

TEST(ConvNext, RefusesArgumentsThatItDoesNotKnow) {
  for (const auto& [arguments, named] : {std::pair{R"({"output_stride": 8})", "output_stride"},
                                         {R"({"norm_layer": "rmsnorm2d"})", "rmsnorm2d"},
                                         {R"({"stem_type": "deep"})", "deep"},
                                         {R"({"patch_size": 8})", "patch_size"},
                                         {R"({"kernel_sizes": [7, 7]})", "kernel"},
                                         {R"({"kernel_sizes": 6})", "odd"},
                                         {R"({"global_pool": "mean"})", "mean"},
                                         {R"({"global_pool": "catavgmax"})", "catavgmax"},
                                         {R"({"surprise": 1})", "surprise"},
                                         {R"({"dims": []})", "stage"},
                                         {R"({"depths": [1, 1, 1, 5000]})", "1000"}}) {
    EXPECT_THAT(error_of([&] { build_convnext(from_timm(arguments)); }), HasSubstr(named)) << arguments;
  }
}

TEST(ConvNext, TakesSizesFromTheTensorsOfABareStateDict) {
  ConvNextConfig config{.classes = 7, .depths = {1, 1, 2, 1}, .dims = {8, 16, 24, 32}};
  ConvNext small(config);
  for (const auto publisher : {Publisher::timm, Publisher::torchvision}) {
    Source source{.publisher = publisher, .name = "ConvNeXt"};
    if (publisher == Publisher::torchvision)
      source.config = Json::parse(R"({"block_setting": [[96, 192, 3], [192, 384, 3], [384, 768, 9], [768, null, 3]]})");
    source.sizes_from_shapes = true;
    const auto keys = build_convnext(source).keys;
    for (const auto& [name, slot] : small.tensors()) source.shapes[keys.their_names(name, "").front()] = slot->shape;
    const auto built = build_convnext(source);
    EXPECT_EQ(built.model->parameter_count(), small.parameter_count());
    EXPECT_EQ(built.model->classes(), 7);
  }
}

}  // namespace
}  // namespace nunchi::models
