#include "ops/attention.h"

#include <ATen/ops/ones.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include "core/in_child.h"
#include "ops/compare.h"
#include "ops/policy.h"

namespace nunchi::ops {
namespace {

using testing::HasSubstr;

struct Heads {
  Tensor q, k, v;
};

Heads heads(std::int64_t b, std::int64_t n_q, std::int64_t n_k, std::int64_t h, std::int64_t d,
            at::ScalarType dtype = at::kFloat) {
  return {random({b, n_q, h, d}, 1, dtype), random({b, n_k, h, d}, 2, dtype), random({b, n_k, h, d}, 3, dtype)};
}

// The strided views that a fused qkv product gives.
Heads from_qkv(std::int64_t b, std::int64_t n, std::int64_t h, std::int64_t d, at::ScalarType dtype = at::kFloat) {
  const auto parts = random({b, n, 3 * h * d}, 4, dtype).view({b, n, 3, h, d}).unbind(2);
  return {parts[0], parts[1], parts[2]};
}

AttentionResult reference(const Heads& x, AttentionOptions options = {}) {
  options.return_weights = true;
  return attention(x.q, x.k, x.v, options);
}

// One sample, one head, number by number.
std::vector<double> by_hand(const Heads& x, std::int64_t sample, std::int64_t head, std::int64_t query) {
  const auto at = [&](const Tensor& t, std::int64_t i, std::int64_t j) { return t[sample][i][head][j].item<double>(); };
  const auto n = x.k.size(1), d = x.q.size(3);
  std::vector<double> scores(n), output(d);
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < d; ++j) scores[i] += at(x.q, query, j) * at(x.k, i, j);
    scores[i] = std::exp(scores[i] / std::sqrt(static_cast<double>(d)));
    sum += scores[i];
  }
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < d; ++j) output[j] += scores[i] / sum * at(x.v, i, j);
  }
  return output;
}

TEST(Attention, IsSoftmaxOfScaledProducts) {  // R001
  const auto x = heads(2, 3, 5, 2, 4);
  const auto fused = attention(x.q, x.k, x.v), plain = reference(x);
  for (const std::int64_t query : {0, 1, 2}) {
    const auto expected = by_hand(x, 1, 0, query);
    for (std::int64_t j = 0; j < 4; ++j) {
      EXPECT_NEAR(fused.output[1][query][0][j].item<double>(), expected[j], 1e-6);
      EXPECT_NEAR(plain.output[1][query][0][j].item<double>(), expected[j], 1e-6);
    }
  }
}

TEST(Attention, HasWeightsWhoseRowsSumToOne) {  // R001
  const auto weights = reference(heads(2, 7, 9, 3, 8)).weights;
  EXPECT_EQ(weights.sizes(), at::IntArrayRef({2, 3, 7, 9}));
  EXPECT_LT(difference(weights.sum(-1), at::ones({2, 3, 7})), 1e-6);
}

TEST(Attention, GivesTheMeanOfTheValuesForEqualKeys) {  // R001
  auto x = heads(1, 4, 6, 2, 8);
  x.k = x.k.slice(1, 0, 1).expand({1, 6, 2, 8});
  const Tensor mean = x.v.mean(1, /*keepdim=*/true).expand({1, 4, 2, 8});
  EXPECT_LT(difference(attention(x.q, x.k, x.v).output, mean), 1e-6);
  EXPECT_LT(difference(reference(x).output, mean), 1e-6);
}

// Both paths, with and without gradients in reach, against LibTorch in double.
void expect_equal_to_libtorch(const Heads& x, double tolerance) {
  const auto wide = [](const Tensor& t) { return t.transpose(1, 2).to(at::kDouble).contiguous(); };
  const Tensor expected = at::scaled_dot_product_attention(wide(x.q), wide(x.k), wide(x.v)).transpose(1, 2);
  for (const bool inference : {false, true}) {
    const c10::InferenceMode guard(inference);
    reset_path_counts();
    const Tensor fused = attention(x.q, x.k, x.v).output;
    EXPECT_EQ(path_counts().fused, 1);
    const Tensor plain = reference(x).output;
    EXPECT_EQ(path_counts().reference, 1);
    EXPECT_LT(difference(fused, expected), tolerance);
    EXPECT_LT(difference(plain, expected), tolerance);
    EXPECT_EQ(fused.scalar_type(), x.q.scalar_type());
    EXPECT_EQ(plain.scalar_type(), x.q.scalar_type());
  }
}

TEST(Attention, EqualsLibtorchAndItsOwnReferenceOnAnyShapeAndStride) {  // R001
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    const double tolerance = dtype == at::kFloat ? 1e-5 : 2e-2;
    for (const auto& [n, h, d] :
         {std::tuple{1, 1, 1}, {3, 2, 5}, {17, 3, 31}, {16, 2, 16}, {33, 3, 10}, {197, 3, 64}}) {
      SCOPED_TRACE(testing::Message() << n << " tokens, " << h << " heads of " << d << ", dtype " << dtype);
      expect_equal_to_libtorch(from_qkv(2, n, h, d, dtype), tolerance);
      expect_equal_to_libtorch(heads(1, n, 7, h, d, dtype), tolerance);
      expect_equal_to_libtorch(heads(1, 5, n, h, d, dtype), tolerance);
      const auto x = heads(1, h, h, n, d, dtype);  // heads before tokens, as other libraries lay them out
      expect_equal_to_libtorch({x.q.transpose(1, 2), x.k.transpose(1, 2), x.v.transpose(1, 2)}, tolerance);
    }
  }
}

TEST(Attention, SurvivesLargeScores) {
  auto x = heads(1, 9, 9, 2, 16);
  x.q = x.q * 1e3;
  expect_equal_to_libtorch(x, 1e-3);
}

TEST(Attention, TakesTurnsWithTheBiasesOfWindows) {  // R024: never with the heads, as many as there may be
  const auto x = from_qkv(6, 5, 3, 8);
  for (const std::int64_t windows : {2, 3, 6}) {
    const Tensor bias = random({windows, 3, 5, 5}, 5), whole = bias.repeat({6 / windows, 1, 1, 1});
    const auto expected = reference(x, {.bias = whole});
    EXPECT_TRUE(same(reference(x, {.bias = bias}).output, expected.output)) << windows;
    EXPECT_LT(difference(attention(x.q, x.k, x.v, {.bias = bias}).output, expected.output), 1e-5) << windows;
  }
}

TEST(Attention, TakesABiasOfMorePrecision) {
  const auto x = from_qkv(4, 9, 2, 16, at::kBFloat16);
  for (const std::int64_t windows : {1, 2, 4}) {
    const Tensor bias = random({windows, 2, 9, 9}, 5) * 4;
    const auto plain = reference(x, {.bias = bias});
    const Tensor fused = attention(x.q, x.k, x.v, {.bias = bias}).output;
    EXPECT_EQ(plain.output.scalar_type(), at::kBFloat16);
    EXPECT_EQ(fused.scalar_type(), at::kBFloat16);
    EXPECT_LT(difference(fused, plain.output), 2e-2) << windows;
  }
}

TEST(Attention, AddsABiasInBothPaths) {
  const auto x = from_qkv(2, 5, 3, 8);
  for (const Shape& shape : {Shape{3, 5, 5}, Shape{1, 3, 5, 5}, Shape{2, 3, 5, 5}, Shape{5, 5}}) {
    const Tensor bias = random(shape, 5);
    const auto plain = reference(x, {.bias = bias});
    EXPECT_LT(difference(attention(x.q, x.k, x.v, {.bias = bias}).output, plain.output), 1e-5);
    EXPECT_GT(difference(plain.output, reference(x).output), 1e-2);
  }
  Tensor blocking = at::zeros({5, 5});
  blocking.select(1, 2).fill_(-std::numeric_limits<double>::infinity());
  EXPECT_EQ(reference(x, {.bias = blocking}).weights.select(-1, 2).abs().max().item<double>(), 0);
}

TEST(Attention, TakesItsOwnScale) {
  const auto x = from_qkv(1, 5, 2, 8);
  const auto expected = reference({x.q * 3, x.k, x.v}).output;
  EXPECT_LT(difference(attention(x.q, x.k, x.v, {.scale = 3 / std::sqrt(8.0)}).output, expected), 1e-5);
  EXPECT_LT(difference(reference(x, {.scale = 3 / std::sqrt(8.0)}).output, expected), 1e-5);
}

TEST(Attention, MasksSamplesAndNotHeadsWhenThereAreAsManyOfBoth) {  // R002
  const auto x = heads(2, 4, 4, 2, 8);
  Tensor mask = at::ones({2, 4, 4});
  mask[0].select(1, 3).fill_(0);  // sample 0 may not look at key 3, sample 1 not at key 1
  mask[1].select(1, 1).fill_(0);
  const Tensor weights = reference(x, {.mask = mask}).weights;
  for (const std::int64_t head : {0, 1}) {
    EXPECT_EQ(weights[0][head].select(1, 3).max().item<double>(), 0);
    EXPECT_GT(weights[0][head].select(1, 1).min().item<double>(), 0);
    EXPECT_EQ(weights[1][head].select(1, 1).max().item<double>(), 0);
    EXPECT_GT(weights[1][head].select(1, 3).min().item<double>(), 0);
  }
}

TEST(Attention, TakesMasksOfTwoThreeAndFourAxes) {  // R002
  const auto x = heads(2, 4, 6, 3, 8);
  const Tensor flat = (random({4, 6}, 7) > -0.5).to(at::kFloat);
  const Tensor expected = reference(x, {.mask = flat}).output;
  EXPECT_GT(difference(expected, reference(x).output), 1e-2);
  for (const Tensor& mask :
       {flat.to(at::kBool), flat.expand({2, 4, 6}), flat.expand({2, 3, 4, 6}), flat.expand({2, 1, 4, 6})}) {
    EXPECT_TRUE(same(reference(x, {.mask = mask}).output, expected));
    EXPECT_TRUE(same(attention(x.q, x.k, x.v, {.mask = mask}).output, expected));
  }
  EXPECT_THAT(error_of([&] { attention(x.q, x.k, x.v, {.mask = flat[0]}); }), HasSubstr("found [6]"));
}

TEST(Attention, MasksPerHeadWithFourAxes) {
  const auto x = heads(1, 2, 3, 2, 8);
  Tensor mask = at::ones({1, 2, 2, 3});
  mask[0][1].select(1, 0).fill_(0);
  const Tensor weights = reference(x, {.mask = mask}).weights;
  EXPECT_GT(weights[0][0].min().item<double>(), 0);
  EXPECT_EQ(weights[0][1].select(1, 0).max().item<double>(), 0);
}

TEST(Attention, GivesZerosWhereEveryKeyIsBlocked) {                  // R001
  for (const auto dtype : {at::kFloat, at::kBFloat16, at::kHalf}) {  // -1e9 does not exist in half precision
    const auto x = heads(2, 3, 4, 2, 8, dtype);
    Tensor mask = at::ones({3, 4});
    mask[1].fill_(0);
    for (const bool with_bias : {false, true}) {
      const auto result =
          reference(x, {.bias = with_bias ? std::optional(random({3, 4}, 8, dtype)) : std::nullopt, .mask = mask});
      EXPECT_EQ(result.output.select(1, 1).abs().max().item<double>(), 0);
      EXPECT_EQ(result.weights.select(2, 1).abs().max().item<double>(), 0);
      EXPECT_TRUE(all_finite(result.output));
      EXPECT_GT(result.output.select(1, 0).abs().max().item<double>(), 0);
    }
  }
}

TEST(Attention, GivesZerosWhereTheBiasBlocksEveryKeyInBothPaths) {
  const auto x = heads(2, 3, 4, 2, 8);
  Tensor bias = at::zeros({3, 4});
  bias[1].fill_(-std::numeric_limits<double>::infinity());
  for (const Tensor& output : {attention(x.q, x.k, x.v, {.bias = bias}).output, reference(x, {.bias = bias}).output}) {
    EXPECT_TRUE(all_finite(output));
    EXPECT_EQ(output.select(1, 1).abs().max().item<double>(), 0);
  }
}

TEST(Attention, HasFiniteGradientsWhereEveryKeyIsBlocked) {  // R001
  const auto x = heads(1, 3, 4, 2, 8);
  for (const Tensor& t : {x.q, x.k, x.v}) t.requires_grad_();
  Tensor mask = at::ones({3, 4});
  mask[1].fill_(0);
  attention(x.q, x.k, x.v, {.mask = mask}).output.pow(2).sum().backward();
  for (const Tensor& t : {x.q, x.k, x.v}) EXPECT_TRUE(all_finite(t.grad()));
  EXPECT_EQ(x.q.grad().select(1, 1).abs().max().item<double>(), 0);
  EXPECT_GT(x.q.grad().select(1, 0).abs().max().item<double>(), 0);
}

TEST(Attention, HasTheGradientsOfFiniteDifferences) {
  const auto x = heads(1, 3, 4, 2, 3, at::kDouble);
  const Tensor bias = random({2, 3, 4}, 9, at::kDouble);
  const PolicyScope scope(Policy::reference);
  const auto f = [](const std::vector<Tensor>& in) { return attention(in[0], in[1], in[2], {.bias = in[3]}).output; };
  expect_right_gradients(f, {x.q, x.k, x.v, bias});
}

TEST(Attention, HasTheGradientsOfItsReferenceWhenFused) {
  std::vector<Tensor> gradients;
  for (const auto policy : {Policy::fused, Policy::reference}) {
    const PolicyScope scope(policy);
    const Tensor qkv = random({2, 17, 3, 2, 8}, 4).requires_grad_();
    const auto parts = qkv.unbind(2);
    attention(parts[0], parts[1], parts[2]).output.pow(2).sum().backward();
    gradients.push_back(qkv.grad());
  }
  EXPECT_LT(difference(gradients[0], gradients[1]), 1e-5);
}

TEST(Attention, DropsWeightsAndScalesTheRest) {
  const auto x = heads(1, 50, 50, 2, 8);
  const Tensor before = reference(x).weights, after = reference(x, {.dropout = 0.5}).weights;
  const Tensor kept = after > 0;
  EXPECT_NEAR(kept.to(at::kFloat).mean().item<double>(), 0.5, 0.03);
  EXPECT_LT(difference(after, before * 2 * kept), 1e-6);
}

TEST(Attention, ReturnsWeightsOnlyWhenAsked) {
  const auto x = heads(1, 3, 4, 2, 8);
  EXPECT_FALSE(attention(x.q, x.k, x.v).weights.defined());
  EXPECT_FALSE(attention(x.q, x.k, x.v, {.mask = at::ones({3, 4})}).weights.defined());
  const PolicyScope scope(Policy::fused);
  EXPECT_THAT(error_of([&] { reference(x); }), HasSubstr("weights are asked for"));
  EXPECT_THAT(error_of([&] { attention(x.q, x.k, x.v, {.mask = at::ones({3, 4})}); }), HasSubstr("mask"));
}

}  // namespace
}  // namespace nunchi::ops
