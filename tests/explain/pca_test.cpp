#include "explain/pca.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_svd.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace nunchi::explain {
namespace {

// More rows than dimensions, and fewer.
TEST(Pca, IsTheSingularValueDecomposition) {
  for (const auto& shape : {Shape{60, 12}, Shape{9, 40}}) {
    const Tensor rows = at::randn(shape) * at::randn({shape[1]}) + 3;
    const Pca pca = fit_pca(rows, 5);
    const Tensor centred = rows.to(at::kDouble) - rows.to(at::kDouble).mean(0);
    const auto [u, s, v] = at::linalg_svd(centred, /*full_matrices=*/false);
    const Tensor variances = (s.square() / static_cast<double>(shape[0] - 1)).slice(0, 0, 5);
    EXPECT_TRUE(at::allclose(pca.variances, variances, 1e-9));
    const Tensor cosines = at::matmul(pca.components, v.slice(0, 0, 5).t());
    EXPECT_TRUE(at::allclose(cosines.abs(), at::eye(5, at::kDouble), 1e-6, 1e-6));
    EXPECT_TRUE(at::allclose(pca.shares, variances / (s.square().sum() / static_cast<double>(shape[0] - 1)), 1e-9));
  }
}

TEST(Pca, ProjectionsAreUncorrelatedWithTheirVariances) {
  const Tensor rows = at::randn({50, 8}) * at::randn({8});
  const Pca pca = fit_pca(rows, 8);
  const Tensor places = project(pca, rows).to(at::kDouble);
  const Tensor covariance = at::matmul(places.t(), places) / 49.0;
  EXPECT_TRUE(at::allclose(covariance, pca.variances.diag(), 1e-4, 1e-5));
  EXPECT_NEAR(pca.shares.sum().item<double>(), 1, 1e-9);
}

TEST(Pca, SignsFollowARule) {
  const Tensor rows = at::randn({30, 6});
  const Tensor components = fit_pca(rows, 4).components;
  const Tensor largest = components.gather(1, components.abs().argmax(1, true));
  EXPECT_GT(largest.min().item<double>(), 0);
  EXPECT_TRUE(at::allclose(fit_pca(rows.flip(0), 4).components, components, 1e-7, 1e-7));
}

TEST(Pca, BeyondTheRankNothingVaries) {
  const Tensor rows = at::randn({3, 10});
  const Pca pca = fit_pca(rows, 5);
  EXPECT_NEAR(pca.variances.slice(0, 2).sum().item<double>(), 0, 1e-9);
  EXPECT_TRUE(project(pca, rows).isfinite().all().item<bool>());
}

// A grid whose middle is something else.
PatchTokens with_object(std::int64_t rows, std::int64_t columns, const Tensor& object, const Tensor& background) {
  Tensor tokens = background.expand({rows, columns, -1}) + 0.05 * at::randn({rows, columns, object.size(0)});
  tokens.slice(0, 2, rows - 2).slice(1, 2, columns - 2) += object - background;
  return {.values = tokens.reshape({1, rows * columns, -1}), .grid = {rows, columns}};
}

Tensor middle_of(std::int64_t rows, std::int64_t columns) {
  Tensor middle = at::zeros({rows, columns}, at::kBool);
  middle.slice(0, 2, rows - 2).slice(1, 2, columns - 2).fill_(true);
  return middle.flatten();
}

// Whichever sign the object has.
TEST(PcaColors, TheObjectInTheMiddleIsForeground) {
  const Tensor a = at::randn({16}), b = at::randn({16});
  for (const bool swapped : {false, true}) {
    const auto picture = with_object(8, 10, swapped ? a : b, swapped ? b : a);
    const auto colors = pca_colors({picture});
    EXPECT_TRUE(at::equal(colors.foreground[0], middle_of(8, 10)));
    EXPECT_EQ((colors.rgb[0] * ~colors.foreground[0].unsqueeze(1)).abs().max().item<float>(), 0);
    EXPECT_EQ(colors.rgb[0].max().item<float>(), 1);
  }
}

TEST(PcaColors, TogetherTheSamePartHasTheSameColour) {
  const Tensor a = at::randn({16}), b = at::randn({16});
  const auto first = with_object(8, 10, a, b);
  PatchTokens second{.values = first.values.slice(1, 0, 40), .grid = {4, 10}};
  const auto colors = pca_colors({first, second});
  ASSERT_EQ(colors.rgb[1].sizes(), (Shape{40, 3}));
  EXPECT_TRUE(at::equal(colors.rgb[1], colors.rgb[0].slice(0, 0, 40)));
}

TEST(PcaColors, OfAllLeavesNoPatchOut) {
  const auto colors = pca_colors_of_all({with_object(8, 8, at::randn({5}), at::randn({5}))});
  EXPECT_TRUE(colors.foreground[0].all().item<bool>());
  EXPECT_EQ(colors.rgb[0].min().item<float>(), 0);
  EXPECT_EQ(colors.shares.size(), 3u);
}

}  // namespace
}  // namespace nunchi::explain
