#include "explain/projection.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include "core/interrupt.h"

namespace nunchi::explain {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr std::int64_t clouds = 4, each = 25;

// Four clouds in 20 dimensions.
Tensor four_clouds() {
  std::vector<Tensor> all;
  for (std::int64_t i = 0; i < clouds; ++i) all.push_back(6 * at::randn({20}) + at::randn({each, 20}));
  return at::cat(all);
}

// How many of the points have their nearest other one in their own cloud.
std::int64_t with_their_own(const Tensor& places) {
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < places.size(0); ++i) {
    Tensor distances = (places - places[i]).square().sum(1);
    distances[i].fill_(1e30);
    count += distances.argmin().item<std::int64_t>() / each == i / each ? 1 : 0;
  }
  return count;
}

TEST(Tsne, CloudsStayApartAndTheDivergenceFalls) {
  const Tensor vectors = four_clouds();
  const auto found = tsne(vectors, {.perplexity = 10, .iterations = 500, .seed = 3});
  ASSERT_EQ(found.places.sizes(), (Shape{clouds * each, 2}));
  EXPECT_EQ(with_their_own(found.places), clouds * each);
  for (std::int64_t i = 0; i < clouds; ++i) {
    const Tensor own = found.places.slice(0, i * each, (i + 1) * each), middle = own.mean(0);
    const double radius = at::linalg_vector_norm(own - middle, 2, 1).max().item<double>();
    for (std::int64_t j = 0; j < clouds; ++j) {
      if (j == i) continue;
      const Tensor other = found.places.slice(0, j * each, (j + 1) * each);
      EXPECT_GT(at::linalg_vector_norm(other - middle, 2, 1).min().item<double>(), radius) << i << " and " << j;
    }
  }
  ASSERT_EQ(found.divergence.size(), 10u);
  EXPECT_LT(found.divergence.back(), 0.5 * found.divergence.front());
  EXPECT_GT(found.divergence.back(), 0);
  for (std::size_t i = 4; i < found.divergence.size(); ++i)  // without exaggeration
    EXPECT_LE(found.divergence[i], found.divergence[i - 1] + 1e-3) << i;
}

TEST(Tsne, TheSameSeedGivesTheSamePlaces) {
  const Tensor vectors = at::randn({40, 5});
  const TsneOptions options{.iterations = 60, .seed = 5};
  EXPECT_TRUE(at::equal(tsne(vectors, options).places, tsne(vectors, options).places));
  EXPECT_FALSE(at::equal(tsne(vectors, options).places, tsne(vectors, {.iterations = 60, .seed = 6}).places));
}

TEST(Tsne, OfVeryFewAndOfEqualVectorsIsFinite) {
  for (const std::int64_t n : {1, 2, 3, 4, 5}) {
    const auto found = tsne(at::randn({n, 6}), {.iterations = 50});
    EXPECT_EQ(found.places.sizes(), (Shape{n, 2}));
    EXPECT_TRUE(found.places.isfinite().all().item<bool>()) << n;
  }
  EXPECT_TRUE(tsne(at::randn({1, 6}).expand({30, 6}), {.iterations = 100}).places.isfinite().all().item<bool>());
}

TEST(Tsne, TellsHowFarItIsAndStops) {
  std::int64_t steps = 0;
  tsne(at::randn({10, 3}), {.iterations = 20, .progress = [&](std::int64_t done, std::int64_t total) {
                              EXPECT_EQ(done, ++steps);
                              EXPECT_EQ(total, 20);
                            }});
  EXPECT_EQ(steps, 20);
  const TsneOptions stopping{.progress = [](std::int64_t done, std::int64_t) {
    if (done == 3) request_stop();
  }};
  EXPECT_THROW(tsne(at::randn({10, 3}), stopping), Error);
  clear_stop();
}

TEST(Tsne, TooManyVectorsAreRefused) {
  EXPECT_THAT([] { tsne(at::rand({20001, 1})); }, ThrowsMessage<Error>(HasSubstr("20001")));
}

TEST(Umap, CloudsStayApartAndTheSeedDecides) {
  const Tensor vectors = four_clouds();
  const Tensor places = umap(vectors, {.epochs = 200, .seed = 3});
  ASSERT_EQ(places.sizes(), (Shape{clouds * each, 2}));
  EXPECT_EQ(with_their_own(places), clouds * each);
  EXPECT_TRUE(at::equal(umap(vectors, {.epochs = 200, .seed = 3}), places));
  EXPECT_FALSE(at::equal(umap(vectors, {.epochs = 200, .seed = 4}), places));
}

TEST(Umap, OfVeryFewAndOfEqualVectorsIsFinite) {
  for (const std::int64_t n : {1, 3, 4, 6}) {
    const Tensor places = umap(at::randn({n, 6}), {.epochs = 50});
    EXPECT_EQ(places.sizes(), (Shape{n, 2}));
    EXPECT_TRUE(places.isfinite().all().item<bool>()) << n;
  }
  EXPECT_TRUE(umap(at::randn({1, 6}).expand({30, 6}), {.epochs = 50}).isfinite().all().item<bool>());
}

TEST(PcaPlane, KeepsThePlaneInWhichTheVectorsLie) {
  const Tensor plane = at::randn({30, 2}) * at::tensor({3.0F, 1.0F});
  const Tensor places = pca_plane(at::cat({plane, at::rand({30, 1}) * 0}, 1));
  const Tensor before = at::linalg_vector_norm(plane[3] - plane[17]),
               after = at::linalg_vector_norm(places[3] - places[17]);
  EXPECT_NEAR(before.item<double>(), after.item<double>(), 1e-4);
  EXPECT_EQ(pca_plane(at::randn({1, 4})).sizes(), (Shape{1, 2}));
  EXPECT_EQ(pca_plane(at::randn({5, 1})).sizes(), (Shape{5, 2}));
}

// Angles of 0, 10, 30 and 180 degrees.
Tensor on_a_circle() {
  std::vector<float> numbers;
  for (const double degrees : {0.0, 10.0, 30.0, 180.0})
    for (const double part : {std::cos(degrees * M_PI / 180), std::sin(degrees * M_PI / 180)})
      numbers.push_back(static_cast<float>(part));
  return at::tensor(numbers).view({4, 2});
}

TEST(Neighbors, TheNearestFirst) {
  const auto neighbors = nearest_neighbors(on_a_circle(), 2);
  EXPECT_EQ(neighbors[0][0].index, 1);
  EXPECT_EQ(neighbors[0][1].index, 2);
  EXPECT_NEAR(neighbors[0][0].cosine, std::cos(M_PI / 18), 1e-6);
  EXPECT_EQ(neighbors[3][0].index, 2);
  EXPECT_EQ(nearest_neighbors(on_a_circle(), 10)[2].size(), 3u);
}

TEST(Outliers, AreFarFromAllOthers) {
  const auto all = outliers(nearest_neighbors(on_a_circle(), 2));
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].index, 3);
  EXPECT_NEAR(all[0].distance, 1 - (std::cos(150 * M_PI / 180) + std::cos(170 * M_PI / 180)) / 2, 1e-6);
  EXPECT_TRUE(outliers(nearest_neighbors(at::randn({1, 3}), 5)).empty());
  EXPECT_TRUE(outliers(nearest_neighbors(at::randn({1, 3}).expand({6, 3}), 5)).empty());
}

TEST(Duplicates, PairsAboveTheThreshold) {
  const auto pairs = near_duplicates(on_a_circle(), std::cos(25 * M_PI / 180));
  ASSERT_EQ(pairs.size(), 2u);
  EXPECT_EQ(pairs[0].from, 0);
  EXPECT_EQ(pairs[0].to, 1);
  EXPECT_EQ(pairs[1].from, 1);
  EXPECT_EQ(pairs[1].to, 2);
  const Tensor many = at::randn({600, 8});
  EXPECT_EQ(near_duplicates(at::cat({many, many.slice(0, 599)}), 0.999999).size(), 1u);
}

}  // namespace
}  // namespace nunchi::explain
