#include "nn/conv_norm.h"

#include <c10/core/InferenceMode.h>

#include "nn/initialise.h"
#include "nn/input_ranges.h"
#include "nn/named.h"
#include "nn/watch.h"
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

TEST(ConvNorm, CountsTheBatchesItWasTrainedWith) {
  ConvNorm layer(dense);
  layer.initialise(seeded(1));
  const Tensor x = random({4, 5, 6, 6}, 2);
  layer.forward(x);
  EXPECT_EQ(named(layer, "normalization.num_batches_tracked").item<std::int64_t>(), 0);
  layer.train(true);
  layer.forward(x);
  layer.forward(x);
  EXPECT_EQ(named(layer, "normalization.num_batches_tracked").item<std::int64_t>(), 2);
}

TEST(ConvNorm, FoldsTheBiasOfTheConvolution) {
  auto config = dense;
  config.bias = true;
  ConvNorm layer(config);
  randomise(layer, 1);
  const Tensor x = random({2, 5, 11, 9}, 2), expected = layer.forward(x);
  EXPECT_TRUE(slot_named(layer, "convolution.bias").trainable);
  layer.freeze({});
  EXPECT_LT(difference(layer.forward(x), expected), 1e-5);
  named(layer, "convolution.bias").add_(1);
  layer.thaw();
  EXPECT_GT(difference(layer.forward(x), expected), 1e-2);
}

TEST(ConvNorm, AddsTheResidualBeforeTheActivation) {
  ConvNorm layer(depthwise);
  randomise(layer, 1);
  const Tensor x = random({2, 8, 11, 9}, 2), residual = random({2, 8, 6, 5}, 3);
  auto linear = depthwise;
  linear.activation = ops::Activation::none;
  ConvNorm bare(linear);
  for (const auto& [name, slot] : bare.tensors()) *slot->tensor = named(layer, name);
  const Tensor expected = (bare.forward(x) + residual).clamp(0, 6);
  EXPECT_LT(difference(layer.forward(x, residual), expected), 1e-6);
  layer.freeze({});
  EXPECT_LT(difference(layer.forward(x, residual), expected), 1e-5);
}

TEST(ConvNorm, StandsBesideTheTensorsOfItsParent) {
  struct Parent : Module {
    Parent() : part({.convolution_key = "conv1", .normalization_key = "bn1"}) { child("", part); }
    ConvNorm part;
  } parent;
  EXPECT_EQ(parent.tensors().front().name, "conv1.weight");
  EXPECT_EQ(slot_named(parent, "bn1.running_var").shape, Shape{32});
}

TEST(ConvNorm, CountsItsBuffersAsNoParameters) {
  ConvNorm layer(dense);
  EXPECT_EQ(layer.parameter_count(), 7 * 5 * 9 + 7 + 7);
  EXPECT_EQ(layer.tensors().size(), 6u);
}

// Two convolutions, of which the first feeds the second.
struct Pair : Module {
  explicit Pair(bool is_depthwise)
      : first({.in = 8, .out = 12, .kernel = 3, .padding = 1, .activation = ops::Activation::relu}),
        second({.in = 12, .out = 12, .kernel = 3, .padding = 1, .groups = is_depthwise ? 12 : 1}) {
    child("first", first);
    child("second", second);
    first.feeds(second);
    randomise(*this, 1);
  }
  Tensor forward(const Tensor& x) const { return seen(second.forward(first.forward(x))); }

  ConvNorm first, second;
};

TEST(ConvNorm, HandsOnCodesWhereTheRangeOfTheNextIsKnown) {
  const c10::InferenceMode inference;
  for (const bool is_depthwise : {false, true}) {
    const Tensor x = random({2, 8, 11, 9}, 2).contiguous(at::MemoryFormat::ChannelsLast);
    Pair pair(is_depthwise);
    const Tensor expected = pair.forward(x), between = pair.first.forward(x);
    Slot& weight = slot_named(pair, "second.convolution.weight");
    {
      const InputRanges ranges;
      pair.forward(x);
      pair.forward(0.5 * x);
      weight.input = ranges.scale_of(weight.tensor);
      EXPECT_FALSE(ranges.scale_of(&x));
    }
    EXPECT_EQ(weight.input->zero, 0) << "nothing is below";
    EXPECT_NEAR(weight.input->scale, between.max().item<double>() / 255, 1e-6);

    const Tensor given = x.to(activation_dtype(Precision::int8));
    pair.first.freeze({.precision = Precision::int8});
    pair.second.freeze({.precision = Precision::int8});
    const Tensor codes = pair.first.forward(given);
    EXPECT_EQ(ops::scale_of(codes)->scale, weight.input->scale);
    EXPECT_LT(difference(ops::in_numbers(codes), between), 0.02);
    EXPECT_LT(difference(pair.forward(given), expected), 0.03);
    {
      bool sees_numbers = false;
      const Watch watch(pair, [&](const std::string& layer, const Tensor& y) {
        sees_numbers |= layer == "first" && y.is_floating_point();
        return y;
      });
      pair.forward(given);
      EXPECT_TRUE(sees_numbers);
    }
    pair.second.thaw();
    EXPECT_TRUE(pair.first.forward(given).is_floating_point()) << "the next one takes numbers";
    pair.first.thaw();
    weight.in_float = true;
    pair.first.freeze({.precision = Precision::int8});
    pair.second.freeze({.precision = Precision::int8});
    EXPECT_EQ(pair.first.forward(given).is_floating_point(), !is_depthwise) << "the next one stays in floating point";
    EXPECT_LT(difference(pair.forward(given), expected), 0.03);
  }
}

}  // namespace
}  // namespace nunchi::nn
