#include "nn/linear.h"

#include <ATen/ops/ones.h>
#include <ATen/ops/silu.h>
#include <c10/core/InferenceMode.h>

#include "nn/mlp.h"
#include "nn/named.h"
#include "ops/compare.h"
#include "ops/policy.h"
#include "ops/swiglu.h"

namespace nunchi::nn {
namespace {

TEST(Linear, KeepsItsOwnWeightsWhenFrozenAndDropsThePackedOneWhenThawed) {
  Linear layer(17, 31);
  randomise(layer, 1);
  const Tensor weight = layer.weights.weight, x = random({3, 17}, 2), expected = layer.forward(x);
  layer.freeze({});
  EXPECT_TRUE(layer.weights.packed);
  EXPECT_TRUE(layer.weights.weight.is_same(weight));
  {
    const c10::InferenceMode inference;
    const ops::PolicyScope scope(ops::Policy::fused);
    EXPECT_LT(difference(layer.forward(x), expected), 1e-5);
  }
  layer.thaw();
  EXPECT_FALSE(layer.weights.packed);
  EXPECT_TRUE(layer.weights.weight.is_same(weight));
}

TEST(Linear, LetsTheWeightGoThatTheFileHolds) {  // a frozen model does not hold two copies
  Linear layer(17, 31);
  randomise(layer, 1);
  for (const auto& [name, slot] : layer.tensors()) slot->in_file = true;
  const Tensor weight = layer.weights.weight, bias = layer.weights.bias;
  std::vector<Tensor> released;
  layer.freeze({.precision = Precision::fp32, .on_release = [&](const Tensor& t) { released.push_back(t); }});
  EXPECT_FALSE(layer.weights.weight.defined());
  EXPECT_TRUE(slot_named(layer, "weight").released);
  EXPECT_TRUE(layer.weights.packed);
  EXPECT_TRUE(layer.weights.bias.is_same(bias));
  ASSERT_EQ(released.size(), 1u);
  EXPECT_TRUE(released[0].is_same(weight));
}

TEST(Linear, HasEverySmallTensorInTheActivationDtype) {
  Linear layer(17, 31);
  randomise(layer, 1);
  const Tensor bias = layer.weights.bias;
  layer.freeze({.precision = Precision::bf16});
  EXPECT_EQ(layer.weights.bias.scalar_type(), at::kBFloat16);
  if (layer.weights.packed) {
    EXPECT_EQ(layer.weights.packed->blocks.scalar_type(), at::kBFloat16);
  } else {
    EXPECT_EQ(layer.weights.weight.scalar_type(), at::kBFloat16);
  }
  layer.thaw();
  EXPECT_TRUE(same(layer.weights.bias, bias));
  EXPECT_EQ(layer.weights.weight.scalar_type(), at::kFloat);
}

TEST(Linear, DropsOutInTrainingOnlyAndLeavesTheResidualAlone) {
  Linear layer(4, 4, /*bias=*/false);
  layer.weights.weight = at::ones({4, 4});
  layer.dropout = 0.25;
  const Tensor x = at::ones({100, 100, 4}), residual = random({100, 100, 4}, 1);
  EXPECT_TRUE(same(layer.forward(x), 4 * x));
  layer.train(true);
  const Tensor y = layer.forward(x), kept = y > 0;
  EXPECT_NEAR(kept.to(at::kFloat).mean().item<double>(), 0.75, 0.01);
  EXPECT_LT(difference(y, kept * (4 / 0.75)), 1e-6);
  const Tensor added = layer.forward(x, {.residual = residual}) - residual;
  EXPECT_LT(difference(added, (added > 2) * (4 / 0.75)), 1e-5);
}

TEST(Mlp, WidensFourTimesAndComesBack) {  // R011
  Mlp mlp({});
  EXPECT_EQ(named(mlp, "fc1.weight").sizes(), at::IntArrayRef({3072, 768}));
  EXPECT_EQ(named(mlp, "fc2.weight").sizes(), at::IntArrayRef({768, 3072}));
  EXPECT_EQ(mlp.parameter_count(), 768 * 3072 * 2 + 3072 + 768);
}

TEST(Mlp, IsLinearGeluLinear) {  // R011
  Mlp mlp({.dim = 8, .hidden = 32});
  randomise(mlp, 1);
  const Tensor x = random({2, 5, 8}, 2);
  const Tensor z = x.matmul(named(mlp, "fc1.weight").t()) + named(mlp, "fc1.bias");
  const Tensor gelu = z * 0.5 * (1 + (z / std::sqrt(2.0)).erf());
  EXPECT_LT(difference(mlp.forward(x), gelu.matmul(named(mlp, "fc2.weight").t()) + named(mlp, "fc2.bias")), 1e-5);
}

TEST(Mlp, GatesWithTheFirstHalfInItsSwigluForm) {
  Mlp mlp({.dim = 8, .hidden = 16, .gated = true});
  randomise(mlp, 1);
  EXPECT_EQ(named(mlp, "fc1.weight").sizes(), at::IntArrayRef({32, 8}));
  const Tensor x = random({2, 5, 8}, 2);
  const Tensor z = x.matmul(named(mlp, "fc1.weight").t()) + named(mlp, "fc1.bias");
  const Tensor gated = at::silu(z.slice(2, 0, 16)) * z.slice(2, 16);
  EXPECT_LT(difference(mlp.forward(x), gated.matmul(named(mlp, "fc2.weight").t()) + named(mlp, "fc2.bias")), 1e-5);
}

TEST(Mlp, NormalisesItsHiddenUnitsAndLeavesBiasesOutWhereAsked) {
  Mlp mlp({.dim = 8, .hidden = 16, .gated = true, .bias = false, .norm_hidden = true, .norm_kind = NormKind::rms});
  randomise(mlp, 1);
  EXPECT_EQ(mlp.tensors().size(), 3u);  // fc1.weight, norm.weight, fc2.weight
  const Tensor x = random({2, 3, 8}, 2);
  const Tensor hidden = ops::swiglu(x.matmul(named(mlp, "fc1.weight").t()));
  const Tensor normed = ops::rms_norm(hidden, named(mlp, "norm.weight"), 1e-6);
  EXPECT_LT(difference(mlp.forward(x), normed.matmul(named(mlp, "fc2.weight").t())), 1e-5);
}

TEST(Mlp, DropsOutAfterBothLayersInTraining) {  // R011
  Mlp mlp({.dim = 8, .hidden = 32, .dropout = 0.5});
  randomise(mlp, 1);
  const Tensor x = random({2, 50, 8}, 2);
  EXPECT_TRUE(same(mlp.forward(x), mlp.forward(x)));
  mlp.train(true);
  const Tensor y = mlp.forward(x);
  EXPECT_NEAR((y == 0).to(at::kFloat).mean().item<double>(), 0.5, 0.1);
  named(mlp, "fc2.bias").zero_();
  named(mlp, "fc2.weight").fill_(1);  // now the columns differ only by what the first dropout let through
  mlp.fc2.dropout = 0;
  EXPECT_GT(difference(mlp.forward(x), mlp.forward(x)), 1e-2);
}

}  // namespace
}  // namespace nunchi::nn
