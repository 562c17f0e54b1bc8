#include "nn/hybrid_stem.h"

#include <ATen/ops/var_mean.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "nn/named.h"
#include "ops/compare.h"
#include "ops/policy.h"

namespace nunchi::nn {
namespace {

TEST(HybridStem, HalvesTheSidesTwiceRoundedUp) {
  HybridStem stem(3);
  randomise(stem, 1);
  EXPECT_EQ(stem.forward(random({2, 3, 32, 32}, 2)).sizes(), (Shape{2, 64, 8, 8}));
  EXPECT_EQ(stem.forward(random({1, 3, 29, 18}, 2)).sizes(), (Shape{1, 64, 8, 5}));
}

TEST(HybridStem, ReadsItsWeightsUpToScaleAndShift) {
  HybridStem stem(3);
  randomise(stem, 1);
  const Tensor image = random({1, 3, 16, 16}, 2), before = stem.forward(image);
  named(stem, "conv.weight").mul_(7).add_(3);
  EXPECT_LT(difference(stem.forward(image), before), 1e-5);
}

TEST(HybridStem, IsTheSameFrozen) {
  HybridStem stem(3);
  randomise(stem, 1);
  const Tensor image = random({1, 3, 20, 12}, 2), plain = stem.forward(image);
  stem.freeze({.precision = Precision::fp32});
  const c10::InferenceMode inference;
  EXPECT_LT(difference(stem.forward(image), plain), 1e-5);
  stem.thaw();
  stem.freeze({.precision = Precision::bf16});
  const Tensor rough = stem.forward(image.to(at::kBFloat16));
  EXPECT_EQ(rough.scalar_type(), at::kBFloat16);
  EXPECT_LT(difference(rough.to(at::kFloat), plain), 0.05);
}

TEST(GroupNorm, NormalisesEachGroupOfTheMap) {
  const ops::GroupNormWeights weights{.weight = random({8}, 1), .bias = random({8}, 2), .groups = 4, .eps = 1e-5};
  const Tensor x = random({2, 8, 3, 5}, 3) * 3 + 1;
  const auto with = [&](ops::Policy policy) {
    const ops::PolicyScope scope(policy);
    return ops::group_norm(x, weights);
  };
  const Tensor reference = with(ops::Policy::reference);
  EXPECT_LT(difference(with(ops::Policy::automatic), reference), 1e-5);
  const Tensor unit = (reference - weights.bias.view({1, -1, 1, 1})) / weights.weight.view({1, -1, 1, 1});
  const auto [variance, mean] = at::var_mean(unit.reshape({2, 4, -1}), {-1}, /*unbiased=*/false, /*keepdim=*/false);
  EXPECT_LT(mean.abs().max().item<double>(), 1e-5);
  EXPECT_LT((variance - 1).abs().max().item<double>(), 1e-4);
}

}  // namespace
}  // namespace nunchi::nn
