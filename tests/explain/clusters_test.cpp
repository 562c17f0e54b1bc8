#include "explain/clusters.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

namespace nunchi::explain {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

// Clouds of 30, 20 and 10 rows far from each other.
Tensor three_clouds() {
  const Tensor middles = 20 * at::randn({3, 5});
  return at::cat({middles[0] + at::randn({30, 5}), middles[1] + at::randn({20, 5}), middles[2] + at::randn({10, 5})});
}

Tensor of_clouds() {
  return at::cat({at::zeros({30}, at::kLong), at::ones({20}, at::kLong), at::ones({10}, at::kLong) * 2});
}

TEST(KMeans, FindsCloudsLargestFirst) {
  const Tensor rows = three_clouds();
  const auto clusters = k_means(rows, {.clusters = 3, .seed = 7});
  EXPECT_TRUE(at::equal(clusters.assignment, of_clouds()));
  EXPECT_THAT(clusters.sizes, ElementsAre(30, 20, 10));
  EXPECT_LT((clusters.centers[1] - rows.slice(0, 30, 50).mean(0)).abs().max().item<float>(), 1e-4);
}

TEST(KMeans, InertiaNeverRises) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto clusters = k_means(at::rand({200, 3}), {.clusters = 12, .seed = seed, .starts = 1});
    ASSERT_GT(clusters.inertia.size(), 1u);
    for (std::size_t i = 1; i < clusters.inertia.size(); ++i)
      EXPECT_LE(clusters.inertia[i], clusters.inertia[i - 1] * (1 + 1e-12)) << "seed " << seed << ", step " << i;
  }
}

TEST(KMeans, TheSameSeedGivesTheSameMap) {
  const Tensor rows = at::rand({150, 4});
  const auto one = k_means(rows, {.clusters = 9, .seed = 3}), same = k_means(rows, {.clusters = 9, .seed = 3});
  EXPECT_TRUE(at::equal(one.assignment, same.assignment));
  const auto other = k_means(rows, {.clusters = 9, .seed = 4, .starts = 1, .iterations = 1});
  EXPECT_FALSE(at::equal(one.assignment, other.assignment));
}

TEST(KMeans, NoClusterStaysEmpty) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto clusters = k_means(at::rand({20, 1}).pow(8), {.clusters = 15, .seed = seed, .starts = 1});
    for (const auto size : clusters.sizes) EXPECT_GT(size, 0) << seed;
  }
}

TEST(KMeans, FewerRowsThanClustersAreClustersOfTheirOwn) {
  const Tensor rows = at::cat({at::zeros({4, 3}), at::ones({2, 3})});
  const auto clusters = k_means(rows, {.clusters = 5});
  EXPECT_THAT(clusters.sizes, ElementsAre(4, 2));
  EXPECT_EQ(clusters.inertia.back(), 0);
  EXPECT_THAT(k_means(at::ones({1, 2}), {.clusters = 3}).sizes, ElementsAre(1));
}

// Directions, not distances: the same three rays at different lengths.
TEST(SpectralClusters, FindDirectionsAndSuggestTheirNumber) {
  const Tensor rays = at::cat(
      {at::ones({30, 1}) * at::eye(3)[0], at::ones({20, 1}) * at::eye(3)[1], at::ones({10, 1}) * at::eye(3)[2]});
  const Tensor rows = rays * (1 + at::rand({60, 1})) + 0.01 * at::randn({60, 3});
  const auto found = spectral_clusters(rows, {.clusters = 3});
  EXPECT_TRUE(at::equal(found.clusters.assignment, of_clouds()));
  EXPECT_EQ(found.suggested, 3);
  EXPECT_EQ(found.eigenvalues.size(), 16u);
  EXPECT_NEAR(found.eigenvalues.front(), 0, 1e-6);
  EXPECT_TRUE(std::ranges::is_sorted(found.eigenvalues));
  EXPECT_LE(found.eigenvalues.back(), 2);
  EXPECT_LT((found.clusters.centers[2] - rows.slice(0, 50).mean(0)).abs().max().item<float>(), 1e-5);
}

TEST(SpectralClusters, TooManyRowsAreRefused) {
  EXPECT_THAT([] { spectral_clusters(at::zeros({6001, 1})); }, ThrowsMessage<Error>(HasSubstr("6001")));
}

}  // namespace
}  // namespace nunchi::explain
