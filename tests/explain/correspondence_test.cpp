#include "explain/correspondence.h"

#include <ATen/ops/randn.h>
#include <ATen/ops/randperm.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

namespace nunchi::explain {
namespace {

TEST(Correspondence, APictureAgainstItselfIsItsOwnBestMatch) {
  const Tensor tokens = at::randn({50, 8});
  const Tensor cosines = patch_cosines(tokens, 3 * tokens);
  EXPECT_NEAR(cosines.diagonal().min().item<float>(), 1, 1e-6);
  const auto matches = best_matches(cosines);
  ASSERT_EQ(matches.size(), 50u);
  for (const auto& match : matches) EXPECT_EQ(match.from, match.to);
  EXPECT_EQ(mutual_nearest(cosines).size(), 50u);
}

TEST(Correspondence, FindsWhereEveryPatchWent) {
  const Tensor tokens = at::randn({40, 16}), order = at::randperm(40, at::kLong);
  const auto matches =
      mutual_nearest(patch_cosines(tokens, tokens.index_select(0, order) + 0.01 * at::randn({40, 16})));
  ASSERT_EQ(matches.size(), 40u);
  for (const auto& match : matches) EXPECT_EQ(order[match.to].item<std::int64_t>(), match.from);
  for (std::size_t i = 1; i < matches.size(); ++i) EXPECT_GE(matches[i - 1].cosine, matches[i].cosine);
}

// 0 and 1 both like column 0 best, which likes 1 best; nobody likes column 1 but 2.
TEST(Correspondence, OnlyWhatIsMutualCounts) {
  const Tensor cosines = at::tensor({0.8F, 0.1F, 0.9F, 0.2F, 0.3F, 0.5F}).view({3, 2});
  const auto matches = mutual_nearest(cosines);
  ASSERT_EQ(matches.size(), 2u);
  EXPECT_EQ(matches[0].from, 1);
  EXPECT_EQ(matches[0].to, 0);
  EXPECT_FLOAT_EQ(static_cast<float>(matches[0].cosine), 0.9F);
  EXPECT_EQ(matches[1].from, 2);
  EXPECT_EQ(matches[1].to, 1);
  EXPECT_EQ(best_matches(cosines)[0].to, 0);
}

TEST(Correspondence, ARowOfZerosIsLikeNothing) {
  EXPECT_EQ(patch_cosines(at::tensor({0.0F, 0.0F}).view({1, 2}), at::randn({5, 2})).abs().max().item<float>(), 0);
}

}  // namespace
}  // namespace nunchi::explain
