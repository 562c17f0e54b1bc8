#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/randperm.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <limits>

#include "ops/attention.h"
#include "ops/compare.h"
#include "ops/policy.h"

// Attention with a bias as inference computes it: attention_blocks in bf16 where the processor multiplies it, otherwise
// attention_heads. ctest runs this program once more for each instruction set (NUNCHI_ISA).
namespace nunchi::ops {
namespace {

struct Inputs {
  Tensor q, k, v;
};

Inputs inputs(const Shape& shape, std::int64_t keys, at::ScalarType dtype) {
  Shape of_keys = shape;
  of_keys[1] = keys;
  return {random(shape, 1, dtype), random(of_keys, 2, dtype), random(of_keys, 3, dtype)};
}

// In double, from the same rounded numbers.
Tensor exact(const Inputs& x, const Tensor& bias) {
  const PolicyScope scope(Policy::reference);
  return attention(x.q.to(at::kDouble), x.k.to(at::kDouble), x.v.to(at::kDouble), {.bias = bias.to(at::kDouble)})
      .output;
}

struct Case {
  at::ScalarType dtype, bias_dtype;
};

class BiasedAttention : public testing::TestWithParam<Case> {
 protected:
  void expect_right(const Inputs& x, const Tensor& bias) const {
    const c10::InferenceMode inference;
    const PolicyScope scope(Policy::fused);
    const Tensor found = attention(x.q, x.k, x.v, {.bias = bias}).output;
    EXPECT_EQ(found.scalar_type(), GetParam().dtype);
    EXPECT_LT(difference(found, exact(x, bias)), GetParam().dtype == at::kFloat ? 5e-6 : 1e-2);
  }
  Tensor bias(const Shape& shape) const { return (3 * random(shape, 4)).to(GetParam().bias_dtype); }
};

TEST_P(BiasedAttention, IsRightOnOddSizes) {
  for (const std::int64_t tokens : {1, 5, 17, 49, 64, 197, 600}) {
    SCOPED_TRACE(testing::Message() << tokens << " tokens");
    expect_right(inputs({2, tokens, 3, 32}, tokens, GetParam().dtype), bias({1, 3, tokens, tokens}));
  }
  expect_right(inputs({2, 9, 3, 16}, 50, GetParam().dtype), bias({1, 3, 9, 50}));
}

TEST_P(BiasedAttention, IsRightForEveryKindOfBias) {
  const auto x = inputs({6, 10, 3, 16}, 10, GetParam().dtype);
  for (const Shape& shape : {Shape{10, 10},
                             {3, 10, 10},
                             {1, 1, 10, 10},
                             {3, 1, 10},
                             {3, 10, 1},
                             {2, 3, 10, 10},
                             {3, 1, 10, 10},
                             {6, 3, 10, 10}}) {
    SCOPED_TRACE(to_string(shape));
    expect_right(x, bias(shape));
  }
  expect_right(x, bias({1, 3, 10, 10}).transpose(2, 3));
}

// The rows of the windows in any order, read where the projection left them and written where they belong.
TEST_P(BiasedAttention, TakesWindowsWhereTheyLie) {
  for (const auto& [windows, n] : {std::pair<std::int64_t, std::int64_t>{6, 10}, {4, 49}, {2, 97}, {3, 1}}) {
    SCOPED_TRACE(testing::Message() << windows << " windows of " << n);
    const Tensor qkv = random({2, windows * n, 3, 3, 16}, 1, GetParam().dtype);
    const Inputs x = {qkv.select(2, 0), qkv.select(2, 1), qkv.select(2, 2)};
    const Tensor rows = at::randperm(windows * n, at::detail::createCPUGenerator(5)).view({windows, n});
    const auto taken = [&, n = n](const Tensor& t) { return t.index_select(1, rows.flatten()).view({-1, n, 3, 16}); };
    for (const auto& shape : {Shape{windows, 3, n, n}, {1, 3, n, n}}) {
      const Tensor added = bias(shape);
      const Tensor expected = exact({taken(x.q), taken(x.k), taken(x.v)}, added);
      for (const auto policy : {Policy::fused, Policy::reference}) {
        const c10::InferenceMode inference;
        const PolicyScope scope(policy);
        const AttentionOptions options = {
            .bias = added, .windows = AttentionWindows{.rows = rows, .places = rows.flatten().argsort()}};
        const Tensor found = attention(x.q, x.k, x.v, options).output;
        EXPECT_EQ(found.sizes(), x.q.sizes());
        EXPECT_LT(difference(taken(found), expected), GetParam().dtype == at::kFloat ? 5e-6 : 2e-2);
      }
    }
  }
}

TEST_P(BiasedAttention, GivesZerosWhereEveryKeyIsBlocked) {
  const auto x = inputs({2, 3, 2, 8}, 4, GetParam().dtype);
  Tensor blocking = at::zeros({3, 4}, GetParam().bias_dtype);
  blocking[1].fill_(-std::numeric_limits<double>::infinity());
  blocking[2][3].fill_(-std::numeric_limits<double>::infinity());
  expect_right(x, blocking);
  const c10::InferenceMode inference;
  EXPECT_EQ(attention(x.q, x.k, x.v, {.bias = blocking}).output.select(1, 1).abs().max().item<double>(), 0);
}

INSTANTIATE_TEST_SUITE_P(Dtypes, BiasedAttention,
                         testing::Values(Case{at::kFloat, at::kFloat}, Case{at::kBFloat16, at::kBFloat16},
                                         Case{at::kBFloat16, at::kFloat}));

}  // namespace
}  // namespace nunchi::ops
