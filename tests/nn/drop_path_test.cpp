#include "nn/drop_path.h"

#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include "nn/linear.h"
#include "nn/named.h"
#include "ops/compare.h"

namespace nunchi::nn {
namespace {

TEST(DropPath, IsTheIdentityAtInference) {  // R073
  const Tensor x = random({3, 4, 5}, 1);
  EXPECT_TRUE(same(DropPath{0.5}.apply(x, /*training=*/false), x));
  EXPECT_FALSE(DropPath{0.5}.draw(x, false).has_value());
  EXPECT_FALSE(DropPath{0}.draw(x, true).has_value());
}

TEST(DropPath, KeepsOrDropsWholeSamplesAndScalesThemInTraining) {  // R073
  const Tensor x = at::ones({4000, 2, 3});
  const Tensor y = DropPath{0.2}.apply(x, /*training=*/true);
  const Tensor of_sample = y.select(1, 0).select(1, 0);
  EXPECT_TRUE(same(y, of_sample.view({-1, 1, 1}).expand_as(y).contiguous()));
  EXPECT_TRUE(((of_sample == 0) | ((of_sample - 1.25).abs() < 1e-6)).all().item<bool>());
  EXPECT_NEAR(y.mean().item<double>(), 1, 0.05);  // eight standard deviations
}

TEST(DropPath, RatesRiseEvenlyFromZero) {
  EXPECT_EQ(DropPath::rate_of_block(0.3, 0, 4), 0);
  EXPECT_NEAR(DropPath::rate_of_block(0.3, 1, 4), 0.1, 1e-12);
  EXPECT_NEAR(DropPath::rate_of_block(0.3, 3, 4), 0.3, 1e-12);
  EXPECT_EQ(DropPath::rate_of_block(0.3, 0, 1), 0);
}

TEST(DropPath, LeavesTheResidualOfDroppedSamples) {
  Linear linear(5, 7);
  randomise(linear, 1);
  linear.train(true);
  Tensor kept = at::ones({3, 1, 1});
  kept[1].zero_();
  kept[2].fill_(2);
  const Tensor x = random({3, 4, 5}, 2), residual = random({3, 4, 7}, 3), scale = random({7}, 4);
  for (const double dropout : {0.0, 1e-9}) {
    linear.dropout = dropout;
    const Tensor y = linear.forward(x, {.scale = scale, .residual = residual, .kept = kept});
    const Tensor branch = linear.forward(x) * scale;
    EXPECT_TRUE(same(y[1], residual[1]));
    EXPECT_LT(difference(y[2], residual[2] + 2 * branch[2]), 1e-6);
    EXPECT_LT(difference(y[0], residual[0] + branch[0]), 1e-6);
    EXPECT_LT(difference(linear.forward(x, {.kept = kept})[2], 2 * linear.forward(x)[2]), 1e-6);
  }
}

}  // namespace
}  // namespace nunchi::nn
