#include "explain/search.h"

#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

namespace nunchi::explain {
namespace {

// By angle from the first query: 0, 10, 20 and 90 degrees, of different lengths.
Tensor database() {
  return at::tensor({0.0f, 3.0f, 1.0f, 0.0f, 0.94f, 0.342f, 1.97f, 0.347f}).view({4, 2});  // 90, 0, 20, 10
}

TEST(Search, FindsTheNearestWhateverTheirLength) {
  const auto found = nearest({.queries = at::tensor({2.0f, 0.0f}).view({1, 2}), .database = database()}, 3);
  ASSERT_EQ(found.size(), 1u);
  ASSERT_EQ(found[0].size(), 3u);
  EXPECT_EQ(found[0][0].index, 1);
  EXPECT_NEAR(found[0][0].cosine, 1, 1e-6);
  EXPECT_EQ(found[0][1].index, 3);
  EXPECT_EQ(found[0][2].index, 2);
  EXPECT_EQ(nearest({.queries = database(), .database = database()}, 99)[0].size(), 4u);
}

TEST(Search, AQueryDoesNotFindItself) {
  const auto found = nearest({.queries = database(), .database = database(), .itself = {0, 1, -1, 3}}, 1);
  EXPECT_EQ(found[0][0].index, 2);
  EXPECT_EQ(found[1][0].index, 3);
  EXPECT_EQ(found[2][0].index, 2) << "which is not in it";
}

TEST(Search, RetrievalIsOfTheOrderOfAll) {
  const Search search{.queries = at::tensor({1.0f, 0.0f}).view({1, 2}), .database = database()};
  const auto result = retrieval(search, {"cat"}, {"cat", "dog", "cat", "cat"}, 2);  // in order: dog cat cat cat
  EXPECT_DOUBLE_EQ(result.precision_at_1, 0);
  EXPECT_DOUBLE_EQ(result.precision_at_k, 0.5);
  EXPECT_DOUBLE_EQ(result.mean_average_precision, (1.0 / 2 + 2.0 / 3 + 3.0 / 4) / 3);
}

}  // namespace
}  // namespace nunchi::explain
