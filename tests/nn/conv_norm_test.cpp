#include "nn/conv_norm.h"

#include <c10/core/InferenceMode.h>

#include "nn/named.h"
#include "ops/compare.h"

namespace nunchi::nn {
namespace {

const ConvNormConfig depthwise = {.in = 8,
                                  .out = 8,
                                  .kernel = 3,
                                  .stride = 2,
                                  .padding = 1,
                                  .groups = 8,
                                  .eps = 1e-3,
                                  .activation = ops::Activation::relu6};
const ConvNormConfig dense = {
    .in = 5, .out = 7, .kernel = 3, .padding = 2, .dilation = 2, .activation = ops::Activation::silu};

TEST(ConvNorm, IsTheSameFoldedAndUnfolded) {
  for (const auto& config : {depthwise, dense}) {
    ConvNorm layer(config);
    randomise(layer, 1);
    const Tensor x = random({2, config.in, 11, 9}, 2), expected = layer.forward(x);
    layer.freeze({});
    EXPECT_LT(difference(layer.forward(x), expected), 1e-5);
    const c10::InferenceMode inference;
    EXPECT_LT(difference(layer.forward(x.contiguous(at::MemoryFormat::ChannelsLast)), expected), 1e-5);
  }
}

TEST(ConvNorm, BringsItsTensorsBackAsTheyWere) {
  for (const auto precision : {Precision::fp32, Precision::bf16}) {
    ConvNorm layer(depthwise);
    randomise(layer, 1);
    std::vector<Tensor> before;
    for (const auto& [name, slot] : layer.tensors()) before.push_back(slot->tensor->clone());
    const Tensor x = random({2, 8, 11, 9}, 2), expected = layer.forward(x);
    layer.freeze({.precision = precision});
    EXPECT_EQ(layer.forward(x.to(activation_dtype(precision))).scalar_type(), activation_dtype(precision));
    layer.thaw();
    std::size_t i = 0;
    for (const auto& [name, slot] : layer.tensors()) EXPECT_TRUE(same(*slot->tensor, before[i++])) << name;
    EXPECT_TRUE(same(layer.forward(x), expected));
  }
}

TEST(ConvNorm, LetsGoOfWhatTheFileHolds) {
  ConvNorm layer(depthwise);
  randomise(layer, 1);
  for (const auto& [name, slot] : layer.tensors()) slot->in_file = true;
  int released = 0;
  layer.freeze({.precision = Precision::bf16, .on_release = [&](const Tensor&) { ++released; }});
  EXPECT_EQ(released, 5);
  for (const auto& [name, slot] : layer.tensors()) {
    EXPECT_EQ(slot->tensor->defined(), name == "normalization.num_batches_tracked") << name;
  }
}

TEST(ConvNorm, MovesItsStatisticsInTrainingOnly) {
  ConvNorm layer(dense);
  randomise(layer, 1);
  const Tensor x = random({4, 5, 6, 6}, 2), before = named(layer, "normalization.running_mean").clone();
  layer.forward(x);
  EXPECT_TRUE(same(named(layer, "normalization.running_mean"), before));
  layer.train(true);
  layer.forward(x);
  EXPECT_FALSE(same(named(layer, "normalization.running_mean"), before));
}

TEST(ConvNorm, CountsItsBuffersAsNoParameters) {
  ConvNorm layer(dense);
  EXPECT_EQ(layer.parameter_count(), 7 * 5 * 9 + 7 + 7);
  EXPECT_EQ(layer.tensors().size(), 6u);
}

}  // namespace
}  // namespace nunchi::nn
