#include "ops/attention_heads.h"

#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>
#include <torch/csrc/autograd/autograd.h>

#include "ops/attention.h"
#include "ops/compare.h"
#include "ops/policy.h"

// ctest runs this program once more for each instruction set (NUNCHI_ISA).
namespace nunchi::ops {
namespace {

struct Sizes {
  std::int64_t batch, queries, keys, heads, head_dim;
};

struct Answer {
  Tensor output, q, k, v;  // the output, and the gradients of sum(output * fixed noise)
};

Answer answer(const std::vector<Tensor>& inputs, Policy policy, double scale) {
  const PolicyScope scope(policy);
  std::vector<Tensor> leaves;
  for (const Tensor& input : inputs) leaves.push_back(input.detach().clone().requires_grad_());
  const Tensor y = attention(leaves[0], leaves[1], leaves[2], {.scale = scale}).output;
  (y * random(y.sizes().vec(), 41, y.scalar_type())).sum().backward();
  return {y.detach(), leaves[0].grad(), leaves[1].grad(), leaves[2].grad()};
}

class AttentionHeads : public testing::TestWithParam<std::pair<at::ScalarType, Sizes>> {};

TEST_P(AttentionHeads, HasTheOutputAndGradientsOfTheFormula) {
  const auto& [dtype, s] = GetParam();
  const std::vector<Tensor> inputs = {random({s.batch, s.queries, s.heads, s.head_dim}, 42, dtype),
                                      random({s.batch, s.keys, s.heads, s.head_dim}, 43, dtype),
                                      random({s.batch, s.keys, s.heads, s.head_dim}, 44, dtype)};
  std::vector<Tensor> wide;
  for (const Tensor& input : inputs) wide.push_back(input.to(at::kDouble));
  const auto expected = answer(wide, Policy::reference, 0.3), found = answer(inputs, Policy::fused, 0.3);
  const double tolerance = dtype == at::kFloat ? 5e-6 : 1e-2;
  EXPECT_LT(difference(found.output, expected.output), tolerance);
  EXPECT_LT(difference(found.v, expected.v), tolerance);
  if (s.keys == 1) return;  // one key: the weights are 1, and nothing but rounding is left of these gradients
  EXPECT_LT(difference(found.q, expected.q), tolerance);
  EXPECT_LT(difference(found.k, expected.k), tolerance);
}

std::vector<std::pair<at::ScalarType, Sizes>> cases() {
  std::vector<std::pair<at::ScalarType, Sizes>> all;
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    for (const Sizes& sizes : {Sizes{1, 1, 1, 1, 1},
                               {2, 5, 3, 2, 8},
                               {3, 49, 49, 3, 32},
                               {2, 64, 64, 3, 64},
                               {1, 65, 130, 2, 40},
                               {1, 197, 197, 2, 64},
                               {2, 1, 70, 2, 24},
                               {1, 300, 2, 1, 80}}) {
      all.emplace_back(dtype, sizes);
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Sizes, AttentionHeads, testing::ValuesIn(cases()));

TEST(AttentionHeadsInInference, HasTheOutputOfTheFormula) {
  const c10::InferenceMode inference;
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    const Tensor q = random({2, 197, 3, 40}, 57, dtype), k = random({2, 65, 3, 40}, 58, dtype);
    const Tensor v = random({2, 65, 3, 40}, 59, dtype);
    const PolicyScope scope(Policy::reference);
    const Tensor expected = attention(q.to(at::kDouble), k.to(at::kDouble), v.to(at::kDouble)).output;
    EXPECT_LT(difference(attention_heads(q, k, v, 1 / std::sqrt(40.0)), expected), dtype == at::kFloat ? 5e-6 : 1e-2);
  }
}

TEST(AttentionHeadsOfViews, ReadsThemWhereTheyAre) {
  const Tensor qkv = random({2, 19, 3, 2, 16}, 45).requires_grad_(), noise = random({2, 19, 2, 16}, 46);
  const auto gradient = [&](Policy policy) {
    const PolicyScope scope(policy);
    const auto parts = qkv.unbind(2);
    return torch::autograd::grad({(attention(parts[0], parts[1], parts[2]).output * noise).sum()}, {qkv})[0];
  };
  EXPECT_LT(difference(gradient(Policy::fused), gradient(Policy::reference)), 5e-6);
}

TEST(AttentionHeadsOfViews, TakesHeadsWhoseRowsAreNotDense) {
  const Tensor wide = random({1, 9, 2, 32}, 47).requires_grad_();
  const auto gradient = [&](Policy policy) {
    const PolicyScope scope(policy);
    const Tensor every_second = wide.slice(3, 0, 32, 2);
    return torch::autograd::grad({attention(every_second, every_second, every_second).output.pow(2).sum()}, {wide})[0];
  };
  EXPECT_LT(difference(gradient(Policy::fused), gradient(Policy::reference)), 5e-6);
}

TEST(AttentionHeadsScores, MayBeLarge) {
  const auto found =
      answer({random({1, 20, 1, 16}, 48) * 100, random({1, 20, 1, 16}, 49) * 100, random({1, 20, 1, 16}, 50)},
             Policy::fused, 1);
  for (const Tensor& t : {found.output, found.q, found.k, found.v}) EXPECT_TRUE(all_finite(t));
}

TEST(AttentionHeadsScores, KeepWhatIsNotANumber) {
  Tensor q = random({1, 20, 1, 16}, 51);
  q[0][3][0][5].fill_(std::numeric_limits<double>::quiet_NaN());
  const auto found = answer({q, random({1, 20, 1, 16}, 52), random({1, 20, 1, 16}, 53)}, Policy::fused, 1);
  EXPECT_FALSE(found.output[0][3].isfinite().any().item<bool>());
  EXPECT_TRUE(all_finite(found.output[0][2]));
}

TEST(AttentionHeadsGradients, HaveGradients) {
  const Tensor q = random({1, 4, 1, 3}, 54).requires_grad_(), k = random({1, 5, 1, 3}, 55).requires_grad_();
  const Tensor v = random({1, 5, 1, 3}, 56).requires_grad_();
  const auto twice = [&](Policy policy) {
    const PolicyScope scope(policy);
    const Tensor loss = attention(q, k, v).output.pow(3).sum();
    const auto first = torch::autograd::grad({loss}, {q, k, v}, {}, true, /*create_graph=*/true);
    return torch::autograd::grad({first[0].pow(2).sum() + first[1].pow(2).sum() + first[2].pow(2).sum()}, {q, k, v});
  };
  const auto found = twice(Policy::fused), expected = twice(Policy::reference);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_LT(difference(found[i], expected[i]), 1e-5) << i;
}

}  // namespace
}  // namespace nunchi::ops
