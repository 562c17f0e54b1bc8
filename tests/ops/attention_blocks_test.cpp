#include "ops/attention_blocks.h"

#include <ATen/ops/randn.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/isa.h"
#include "ops/attention.h"
#include "ops/policy.h"

// ctest runs this program once more for each instruction set (NUNCHI_ISA).
namespace nunchi::ops {
namespace {

// Only the processor may be a reason to skip.
bool multiplies_bf16() { return cpu_info().avx512_bf16 || cpu_info().amx_bf16; }

struct Sizes {
  std::int64_t batch, tokens, heads, head_dim;
};

void PrintTo(const Sizes& s, std::ostream* out) {
  *out << s.batch << "x" << s.tokens << "x" << s.heads << "x" << s.head_dim;
}

class AttentionBlocks : public testing::TestWithParam<Sizes> {
 protected:
  const c10::InferenceMode inference_;

  // q, k and v as the qkv projection leaves them: views of one tensor. Some scores are large, as in trained models.
  std::vector<Tensor> projected(at::ScalarType dtype) const {
    const auto [b, n, heads, d] = GetParam();
    return (2 * at::randn({b, n, 3, heads, d})).to(dtype).unbind(2);
  }

  static double error(const std::vector<Tensor>& qkv, const Tensor& found) {
    const PolicyScope scope(Policy::reference);
    const Tensor expected = attention(qkv[0].to(at::kFloat), qkv[1].to(at::kFloat), qkv[2].to(at::kFloat)).output;
    return ((found.to(at::kFloat) - expected).abs().max() / expected.abs().max()).item<double>();
  }
};

TEST_P(AttentionBlocks, EqualTheReference) {
  const auto qkv = projected(at::kBFloat16);
  const std::string obstacle = attention_blocks_obstacle(qkv[0], qkv[1], qkv[2]);
  if (!multiplies_bf16()) GTEST_SKIP() << obstacle;
  ASSERT_EQ(obstacle, "");
  const Tensor found =
      attention_blocks(qkv[0], qkv[1], qkv[2], 1 / std::sqrt(static_cast<double>(GetParam().head_dim)));
  EXPECT_LT(error(qkv, found), 0.01);
}

INSTANTIATE_TEST_SUITE_P(Sizes, AttentionBlocks,
                         testing::Values(Sizes{1, 1, 1, 2}, Sizes{2, 2, 3, 8}, Sizes{1, 17, 2, 10}, Sizes{3, 49, 2, 32},
                                         Sizes{2, 64, 1, 48}, Sizes{1, 65, 3, 64}, Sizes{2, 197, 3, 64},
                                         Sizes{1, 256, 2, 80}, Sizes{1, 577, 2, 128}, Sizes{1, 1369, 2, 64},
                                         Sizes{1, 4097, 1, 64}));

TEST(AttentionBlocksWithFewQueries, ReadOtherKeysThanQueries) {
  const c10::InferenceMode inference;
  const Tensor q = at::randn({2, 3, 4, 32}).to(at::kBFloat16), k = at::randn({2, 11, 4, 32}).to(at::kBFloat16);
  const Tensor v = at::randn({2, 11, 4, 32}).to(at::kBFloat16);
  const std::string obstacle = attention_blocks_obstacle(q, k, v);
  if (!multiplies_bf16()) GTEST_SKIP() << obstacle;
  ASSERT_EQ(obstacle, "");
  const PolicyScope scope(Policy::reference);
  const Tensor expected = attention(q.to(at::kFloat), k.to(at::kFloat), v.to(at::kFloat)).output;
  const Tensor found = attention_blocks(q, k, v, 1 / std::sqrt(32.0)).to(at::kFloat);
  EXPECT_LT((found - expected).abs().max().item<double>(), 0.02);
}

TEST(AttentionBlocksObstacle, SaysWhyNot) {
  const auto obstacle = [](const Tensor& t) { return std::string(attention_blocks_obstacle(t, t, t)); };
  const Tensor q = at::randn({1, 4, 2, 8}).to(at::kBFloat16);
  EXPECT_NE(obstacle(q).find("InferenceMode"), std::string::npos);
  const c10::InferenceMode inference;
  EXPECT_NE(obstacle(q.to(at::kFloat)).find("dtype"), std::string::npos);
  if (!multiplies_bf16()) GTEST_SKIP() << obstacle(q);
  EXPECT_EQ(obstacle(q), "");
  EXPECT_NE(obstacle(q.transpose(2, 3)).find("contiguous"), std::string::npos);
  EXPECT_NE(obstacle(at::randn({1, 4, 2, 7}).to(at::kBFloat16)).find("pairs"), std::string::npos);
}

}  // namespace
}  // namespace nunchi::ops
