#include "ops/relevance.h"

#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/autograd.h>

#include "ops/attention.h"
#include "ops/compare.h"
#include "ops/conv.h"
#include "ops/linear.h"
#include "ops/norm.h"
#include "ops/pool.h"
#include "ops/swiglu.h"

namespace nunchi::ops {
namespace {

using Network = std::function<Tensor(const Tensor& x)>;

// x times what flows back to it from what comes of it times `reaching`.
Tensor relevance_of(const Network& network, const Tensor& x, const Tensor& reaching) {
  const Tensor input = x.detach().requires_grad_(true);
  return input.detach() * torch::autograd::grad({(network(input) * reaching).sum()}, {input}).front();
}

// The rule as it is written: for each answer, the products of one sign count 1 + gamma times.
Tensor by_the_rule(const Tensor& x, const Tensor& w, const Tensor& bias, const Tensor& relevance, double gamma) {
  Tensor shares = x * 0;
  for (std::int64_t j = 0; j < w.size(0); ++j) {
    const Tensor products = x * w[j], answer = products.sum() + bias[j];
    const bool positive = answer.item<double>() > 0;
    const auto counted = [&](const Tensor& t) { return t + gamma * (positive ? t.clamp_min(0) : t.clamp_max(0)); };
    const Tensor counts = counted(products);
    shares = shares + counts / (counts.sum() + counted(bias[j])) * relevance[j];
  }
  return shares;
}

TEST(Relevance, OfALinearLayerIsSharedOutByTheGammaRule) {
  const Tensor x = random({7}, 1, at::kDouble), w = random({5, 7}, 2, at::kDouble), bias = random({5}, 3, at::kDouble);
  const Tensor relevance = random({5}, 4, at::kDouble);
  for (const double gamma : {0.0, 0.05, 0.25, 10.0}) {
    const RelevanceScope scope({.linear_gamma = gamma});
    const Network layer = [&](const Tensor& in) { return linear(in.unsqueeze(0), {w, bias, {}})[0]; };
    const Tensor found = relevance_of(layer, x, relevance / layer(x));
    EXPECT_LT(difference(found, by_the_rule(x, w, bias, relevance, gamma)), 1e-12) << gamma;
  }
}

TEST(Relevance, OfAConvolutionIsThatOfTheLinearLayerOverItsPatches) {
  const Tensor x = random({1, 3, 4, 6}, 1, at::kDouble), w = random({5, 3, 2, 2}, 2, at::kDouble);
  const Tensor bias = random({5}, 3, at::kDouble), reaching = random({1, 6, 5}, 4, at::kDouble);
  const RelevanceScope scope({.linear_gamma = 0.25, .conv_gamma = 0.25});
  const Network convolution = [&](const Tensor& in) {
    return conv2d(in, {w, bias}, {.stride = {2, 2}}).flatten(2).transpose(1, 2);
  };
  const Network product = [&](const Tensor& in) { return linear(patchify(in, {2, 2}), {w.flatten(1), bias, {}}); };
  EXPECT_LT(difference(relevance_of(convolution, x, reaching), relevance_of(product, x, reaching)), 1e-12);
}

TEST(Relevance, ChangesNoNumberAndEndsWithItsScope) {
  const Tensor x = random({2, 3, 8, 8}, 1), w = random({4, 3, 3, 3}, 2), bias = random({4}, 3);
  const Network network = [&](const Tensor& in) {
    const Tensor map = conv2d(in, {w, bias}, {.padding = {1, 1}}, {.activation = Activation::gelu});
    return layer_norm(max_pool2d(map, {.kernel = 2, .stride = 2}).flatten(2), {});
  };
  const Tensor y = network(x), reaching = random(y.sizes().vec(), 4);
  const Tensor times_gradient = relevance_of(network, x, reaching);
  {
    const RelevanceScope scope;
    EXPECT_LT(difference(network(x), y), 1e-5);
    EXPECT_GT(difference(relevance_of(network, x, reaching), times_gradient), 1e-2);
  }
  EXPECT_EQ(relevance_rules(), nullptr);
  EXPECT_EQ(difference(relevance_of(network, x, reaching), times_gradient), 0);
}

TEST(Relevance, IsKeptWhereThereAreNoBiases) {
  const Tensor x = random({1, 6, 8}, 1, at::kDouble), reaching = random({1, 6, 8}, 2, at::kDouble);
  const auto weights = [](std::int64_t out, std::int64_t in, std::uint64_t seed) -> LinearWeights {
    return {random({out, in}, seed, at::kDouble), {}, {}};
  };
  const auto first = weights(24, 8, 3), second = weights(12, 8, 4), third = weights(8, 6, 5);
  const Network block = [&](const Tensor& in) {
    const Tensor unit = rms_norm(in, random({8}, 6, at::kDouble), 0);
    const auto qkv = linear(unit, first).view({1, 6, 3, 2, 4}).unbind(2);
    const Tensor attended = in + attention(qkv[0], qkv[1], qkv[2]).output.flatten(2);
    return attended + linear(gated(linear(attended, second, {.activation = Activation::mish})), third);
  };
  const RelevanceScope scope;
  EXPECT_NEAR(relevance_of(block, x, reaching).sum().item<double>(), (block(x) * reaching).sum().item<double>(), 1e-9);
}

TEST(Relevance, OfNoughtIsNought) {
  const Tensor w = random({5, 7}, 2);
  const RelevanceScope scope;
  const Network layer = [&](const Tensor& in) { return linear(in, {w, {}, {}}, {.activation = Activation::relu}); };
  const Tensor found = relevance_of(layer, at::zeros({1, 7}), random({1, 5}, 3));
  EXPECT_TRUE(found.equal(at::zeros({1, 7})));
}

}  // namespace
}  // namespace nunchi::ops
