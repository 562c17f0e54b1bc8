#include "explain/attention.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "explain/small_models.h"
#include "tasks/attention_map.h"

namespace nunchi::explain {
namespace {

// Uniform attention over 197 tokens has entropy ln 197; a head that reads one token has none.
TEST(AttentionEntropy, FromOneTokenToAll) {
  const Tensor weights = at::zeros({2, 197, 197});
  weights[0].fill_(1.0 / 197);
  weights[1].copy_(at::eye(197));
  const Tensor entropy = attention_entropy(weights);
  EXPECT_NEAR(entropy[0].item<double>(), std::log(197.0), 1e-4);
  EXPECT_EQ(entropy[1].item<double>(), 0);
}

TEST(AttentionDistance, CountsThePatchesBetween) {
  const Anatomy anatomy = {.layers = {}, .image = {32, 48}, .prefix_tokens = 1, .grid = {2, 3}};
  const Tensor weights = at::zeros({2, 7, 7});
  weights[0].slice(0, 1).slice(1, 1).copy_(at::eye(6));       // each reads itself
  for (std::int64_t i = 1; i < 7; ++i) weights[1][i][1] = 1;  // all read the upper left patch
  const Tensor distance = attention_distance(weights, anatomy);
  EXPECT_EQ(distance[0].item<double>(), 0);
  EXPECT_NEAR(distance[1].item<double>(), (0 + 1 + 2 + 1 + std::sqrt(2) + std::sqrt(5)) / 6, 1e-6);
}

TEST(LargestShare, KeepsTheFewestThatHaveTheShare) {
  const Tensor map = at::tensor({0.1F, 0.4F, 0.2F, 0.3F}).view({2, 2});
  const Tensor kept = largest_share(map, 0.6);
  EXPECT_TRUE(kept.to(at::kInt).equal(at::tensor({0, 1, 0, 1}).view({2, 2})));
  EXPECT_TRUE(largest_share(map, 0.3).to(at::kInt).equal(at::tensor({0, 1, 0, 0}).view({2, 2})));
}

// Two blocks of two tokens, worked out by hand: R1 = I + A1, R2 = R1 + A2 R1, A = mean over heads of relu(g w).
TEST(GradientRollout, IsThatOfThePaper) {
  AttentionEvidence evidence;
  evidence.weights = {at::full({2, 2, 2}, 0.5), at::full({2, 2, 2}, 0.5)};
  const Tensor first = at::zeros({2, 2, 2}), second = at::zeros({2, 2, 2});
  first[0][0][1] = 4;   // A1[0][1] = mean(2, 0) = 1
  first[1][1][0] = -8;  // speaks against the class: nothing
  second[0][0][0] = 2;  // A2[0][0] = 0.5
  second[1][1][0] = 4;  // A2[1][0] = 1
  evidence.gradients = {first, second};
  const Tensor relevance = gradient_rollout(evidence);
  EXPECT_TRUE(at::allclose(relevance, at::tensor({1.5F, 1.5F, 1.0F, 2.0F}).view({2, 2})));
}

TEST(Rollout, DiscardsTheLeastWeights) {
  const auto model = small_model("vit_classifier");
  const auto output = model.forward(random_pixels(model), {.attentions = true});
  const Tensor whole = tasks::attention_rollout(output), few = tasks::attention_rollout(output, 0.9);
  EXPECT_TRUE(whole.equal(tasks::attention_rollout(output, 0)));
  EXPECT_FALSE(at::allclose(whole, few));
  EXPECT_GT((few == 0).sum().item<std::int64_t>(), 0);
}

}  // namespace
}  // namespace nunchi::explain
