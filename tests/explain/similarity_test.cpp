#include "explain/similarity.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_norm.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include <numeric>

#include "tasks/cases.h"
#include "weights/checkpoint.h"

namespace nunchi::explain {
namespace {

using testing::ElementsAre;

// The formula of the paper, in features and not in inner products.
double by_definition(const Tensor& one, const Tensor& other) {
  const Tensor x = one.to(at::kDouble) - one.to(at::kDouble).mean(0),
               y = other.to(at::kDouble) - other.to(at::kDouble).mean(0);
  const auto length = [](const Tensor& a, const Tensor& b) {
    return at::linalg_norm(at::matmul(a.t(), b)).item<double>();
  };
  return length(y, x) * length(y, x) / (length(x, x) * length(y, y));
}

TEST(LinearCka, IsTheFormulaOfThePaper) {
  const Tensor x = at::randn({40, 7}), y = at::matmul(x, at::randn({7, 12})) + at::randn({40, 12}),
               z = at::randn({40, 90}) + 5;
  const Tensor cka = linear_cka({x, y}, {x, y, z});
  ASSERT_EQ(cka.sizes(), (Shape{2, 3}));
  EXPECT_NEAR(cka[0][1].item<double>(), by_definition(x, y), 1e-9);
  EXPECT_NEAR(cka[1][2].item<double>(), by_definition(y, z), 1e-9);
  EXPECT_NEAR(cka[1][1].item<double>(), 1, 1e-12);
}

TEST(LinearCka, RotationScaleAndShiftDoNotCount) {
  const Tensor x = at::randn({30, 8});
  const Tensor rotation = std::get<0>(at::linalg_qr(at::randn({8, 8})));
  EXPECT_NEAR(linear_cka({x}, {3 * at::matmul(x, rotation) - 2})[0][0].item<double>(), 1, 1e-5);
}

TEST(LinearCka, WhatHasNothingInCommonIsZero) {
  const Tensor x = at::tensor({1.0F, -1.0F, 1.0F, -1.0F}).view({4, 1}),
               y = at::tensor({1.0F, 1.0F, -1.0F, -1.0F}).view({4, 1});
  EXPECT_NEAR(linear_cka({x}, {y})[0][0].item<double>(), 0, 1e-12);
  EXPECT_EQ(linear_cka({at::full({4, 3}, 7.0)}, {x})[0][0].item<double>(), 0);
}

TEST(LinearCka, ExamplesAreCellsOfThePictures) {
  const Tensor fine = at::randn({2, 3, 4, 6});
  const Tensor examples = cell_examples(fine, {2, 2});
  ASSERT_EQ(examples.sizes(), (Shape{8, 3}));
  const Tensor cell = fine[1].slice(1, 2, 4).slice(2, 0, 3).mean({1, 2});  // lower left of the second picture
  EXPECT_TRUE(at::allclose(examples[6], cell, 1e-5, 1e-6));
}

TEST(Positions, AMapForEachPatchWithItselfOnTop) {
  const Tensor maps = position_cosines(at::randn({6, 16}), {2, 3});
  ASSERT_EQ(maps.sizes(), (Shape{6, 2, 3}));
  for (std::int64_t i = 0; i < 6; ++i) EXPECT_NEAR(maps[i][i / 3][i % 3].item<float>(), 1, 1e-6);
  EXPECT_FLOAT_EQ(maps[1][0][2].item<float>(), maps[2][0][1].item<float>());
}

TEST(Histograms, CountsByHand) {
  const Tensor values = at::tensor({0.0F, 0.9F, 1.0F, 1.1F, 3.9F, 4.0F, std::numeric_limits<float>::quiet_NaN(),
                                    std::numeric_limits<float>::infinity()});
  const auto found = histogram(values, {.bins = 4});
  EXPECT_EQ(found.least, 0);
  EXPECT_EQ(found.greatest, 4);
  EXPECT_THAT(found.counts, ElementsAre(2, 2, 0, 2));
  EXPECT_EQ(found.not_finite, 2);
  EXPECT_THAT(histogram(values, {.bins = 2, .least = 1.0, .greatest = 2.0}).counts, ElementsAre(4, 2));
  EXPECT_THAT(histogram(at::zeros({5}), {.bins = 3}).counts, ElementsAre(5, 0, 0));
  EXPECT_THAT(histogram(at::zeros({0}), {.bins = 2}).counts, ElementsAre(0, 0));
}

// Larger than one piece, and not contiguous.
TEST(Histograms, CountEveryNumberOfALargeTensor) {
  const Tensor values = at::randn({1500, 1000}).t();
  const auto found = histogram(values);
  EXPECT_EQ(std::accumulate(found.counts.begin(), found.counts.end(), std::int64_t{0}), values.numel());
  EXPECT_DOUBLE_EQ(found.least, values.min().item<float>());
  const auto half = histogram(values, {.bins = 2, .least = -100, .greatest = 100});
  EXPECT_EQ(half.counts[1], (values >= 0).sum().item<std::int64_t>());
}

TEST(Histograms, CountTheWeightsOfARealModel) {
  const weights::Checkpoint checkpoint(formats::open_weights(case_model("dinov2")), {});
  std::int64_t read = 0;
  const auto file = formats::SafetensorsFile::open(case_model("dinov2") / "model.safetensors");
  for (const auto& view : file.tensors()) {
    const Tensor weight = checkpoint.read(view.name);
    const auto counts = histogram(weight).counts;
    EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}), view.count()) << view.name;
    ++read;
  }
  EXPECT_GT(read, 10);
}

TEST(ActivationStatistics, OverPiecesAreThoseOfTheWhole) {
  const Tensor all = at::randn({6, 5, 4, 3}) * 2 + 1;
  ActivationStatistics seen;
  seen.add(all.slice(0, 0, 2), 1);
  seen.add(all.slice(0, 2), 1);
  EXPECT_EQ(seen.count(), all.numel());
  EXPECT_EQ(seen.units(), 5);
  EXPECT_NEAR(seen.mean(), all.mean().item<double>(), 1e-6);
  EXPECT_NEAR(seen.deviation(), all.to(at::kDouble).std(/*unbiased=*/false).item<double>(), 1e-6);
  EXPECT_EQ(seen.least(), all.min().item<float>());
  EXPECT_EQ(seen.greatest(), all.max().item<float>());
  EXPECT_EQ(seen.dead_share(), 0);
}

TEST(ActivationStatistics, DeadUnitsAndOutlierChannels) {
  Tensor tokens = at::randn({2, 50, 8});
  tokens.select(2, 3).zero_();
  tokens.select(2, 6) *= 40;
  ActivationStatistics seen;
  seen.add(tokens, 2);
  EXPECT_DOUBLE_EQ(seen.dead_share(), 1.0 / 8);
  EXPECT_THAT(seen.outlier_channels(), ElementsAre(6));
  tokens.select(2, 3)[1].fill_(0.5);
  seen.add(tokens, 2);
  EXPECT_EQ(seen.dead_share(), 0);
  ActivationStatistics once;
  once.add(at::randn({1, 8}), 1);
  EXPECT_EQ(once.dead_share(), 0) << "one value says nothing about a unit";
}

}  // namespace
}  // namespace nunchi::explain
