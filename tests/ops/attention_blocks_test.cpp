#include "ops/attention_blocks.h"

#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "ops/attention.h"
#include "ops/compare.h"
#include "ops/policy.h"

// ctest runs this program once more for each instruction set (NUNCHI_ISA).
namespace nunchi::ops {
namespace {

using testing::HasSubstr;

struct Sizes {
  std::int64_t batch, tokens, heads, head_dim;
};

void PrintTo(const Sizes& s, std::ostream* out) {
  *out << s.batch << "x" << s.tokens << "x" << s.heads << "x" << s.head_dim;
}

class AttentionBlocks : public testing::TestWithParam<std::tuple<at::ScalarType, Sizes>> {
 protected:
  const c10::InferenceMode inference_;
  at::ScalarType dtype_ = std::get<0>(GetParam());
  Sizes sizes_ = std::get<1>(GetParam());

  // q, k and v as the qkv projection leaves them: views of one tensor. Some scores are large, as in trained models.
  std::vector<Tensor> projected() const {
    const auto [b, n, heads, d] = sizes_;
    return (2 * random({b, n, 3, heads, d}, 1)).to(dtype_).unbind(2);
  }
  double scale() const { return 1 / std::sqrt(static_cast<double>(sizes_.head_dim)); }
};

Tensor by_formula(const std::vector<Tensor>& qkv, const AttentionOptions& options = {}) {
  const PolicyScope scope(Policy::reference);
  return attention(qkv[0].to(at::kDouble), qkv[1].to(at::kDouble), qkv[2].to(at::kDouble), options).output;
}

double tolerance(at::ScalarType dtype) { return dtype == at::kFloat ? 5e-6 : 0.01; }

TEST_P(AttentionBlocks, EqualTheFormula) {
  const auto qkv = projected();
  ASSERT_STREQ(attention_blocks_obstacle(qkv[0], qkv[1], qkv[2]), "");
  EXPECT_LT(difference(attention_blocks(qkv[0], qkv[1], qkv[2], {.scale = scale()}), by_formula(qkv)),
            tolerance(dtype_));
}

// The worst that can happen to a polynomial of the exponent: far below the largest, equal to it, and a key that nothing
// may look at.
TEST_P(AttentionBlocks, TakeABiasOfEverySize) {
  const auto qkv = projected();
  const auto [b, n, heads, d] = sizes_;
  Tensor bias = 30 * random({1, heads, n, n}, 2);
  if (n > 1) bias.select(3, n / 2).fill_(-std::numeric_limits<double>::infinity());
  const Tensor found = attention_blocks(qkv[0], qkv[1], qkv[2],
                                        {.scale = scale(), .bias = AttentionBias(bias.to(at::kFloat), heads, n, n)});
  EXPECT_LT(difference(found, by_formula(qkv, {.bias = bias})), tolerance(dtype_));
}

// Rounded to steps of a 127th of the largest magnitude of each row.
Tensor rounded(const Tensor& x) {
  const Tensor step = (x.abs().amax(-1, /*keepdim=*/true) / 127).clamp_min(1e-30);
  return step * (x / step).round();
}

// Softmax does not change with what all keys have in common, which takes no part in their codes: if it did, this would
// be off by 5 in a hundred. What lies in the middle of two codes may become either.
TEST_P(AttentionBlocks, MultiplyCodesAsTheFormulaOfWhatTheyStandFor) {
  auto qkv = projected();
  qkv[1] = (qkv[1] + 8 * random({1, 1, sizes_.heads, sizes_.head_dim}, 3)).to(dtype_);
  const Tensor found = attention_blocks(qkv[0], qkv[1], qkv[2], {.scale = scale(), .scores_in_codes = true});
  const Tensor k = qkv[1].to(at::kDouble);
  qkv[0] = rounded(qkv[0].to(at::kDouble));
  qkv[1] = rounded(k - k.mean(1, /*keepdim=*/true));
  const Tensor expected = by_formula(qkv), off = found.to(at::kDouble) - expected;
  EXPECT_LT((off.square().mean() / expected.square().mean()).sqrt().item<double>(), dtype_ == at::kFloat ? 1e-3 : 5e-3);
}

INSTANTIATE_TEST_SUITE_P(Sizes, AttentionBlocks,
                         testing::Combine(testing::Values(at::kFloat, at::kBFloat16),
                                          testing::Values(Sizes{1, 1, 1, 2}, Sizes{2, 2, 3, 8}, Sizes{1, 17, 2, 10},
                                                          Sizes{3, 49, 2, 32}, Sizes{2, 64, 1, 48}, Sizes{1, 65, 3, 64},
                                                          Sizes{2, 197, 3, 64}, Sizes{1, 256, 2, 80},
                                                          Sizes{1, 577, 2, 128}, Sizes{1, 1369, 2, 64},
                                                          Sizes{1, 4097, 1, 64})));

TEST(AttentionBlocksWithFewQueries, ReadOtherKeysThanQueries) {
  const c10::InferenceMode inference;
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    const std::vector<Tensor> qkv = {random({2, 3, 4, 32}, 1, dtype), random({2, 11, 4, 32}, 2, dtype),
                                     random({2, 11, 4, 32}, 3, dtype)};
    ASSERT_STREQ(attention_blocks_obstacle(qkv[0], qkv[1], qkv[2]), "");
    const Tensor found = attention_blocks(qkv[0], qkv[1], qkv[2], {.scale = 1 / std::sqrt(32.0)});
    EXPECT_LT(difference(found, by_formula(qkv)), tolerance(dtype));
  }
}

TEST(AttentionBlocksOfNaN, ShowANumberThatIsNone) {
  const c10::InferenceMode inference;
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    const Tensor k = random({1, 70, 1, 16}, 1, dtype), q = random({1, 9, 1, 16}, 2, dtype);
    k[0][69][0][3].fill_(std::nan(""));
    for (const bool in_codes : {false, true}) {
      const Tensor found = attention_blocks(q, k, k, {.scale = 0.25, .scores_in_codes = in_codes});
      EXPECT_TRUE(found.isnan().all().item<bool>());
    }
  }
}

TEST(AttentionBlocksObstacle, SaysWhyNot) {
  const auto obstacle = [](const Tensor& t) { return std::string(attention_blocks_obstacle(t, t, t)); };
  const Tensor q = random({1, 4, 2, 8}, 1, at::kBFloat16);
  EXPECT_THAT(obstacle(q), HasSubstr("InferenceMode"));
  const c10::InferenceMode inference;
  EXPECT_EQ(obstacle(q), "");
  EXPECT_EQ(obstacle(q.to(at::kFloat)), "");
  EXPECT_THAT(obstacle(q.to(at::kDouble)), HasSubstr("dtype"));
  EXPECT_THAT(attention_blocks_obstacle(q, q.to(at::kFloat), q), HasSubstr("differ"));
  EXPECT_THAT(obstacle(q.transpose(2, 3)), HasSubstr("contiguous"));
  EXPECT_THAT(obstacle(random({1, 4, 2, 7}, 1, at::kBFloat16)), HasSubstr("pairs"));
  EXPECT_EQ(obstacle(random({1, 4, 2, 7}, 1)), "");
}

}  // namespace
}  // namespace nunchi::ops
