#include "nn/rotary.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include <cmath>
#include <numbers>

#include "ops/compare.h"

namespace nunchi::nn {
namespace {

constexpr double pi = std::numbers::pi;

// cos and sin of a patch's angles, one after another.
void expect_angles(const ops::RotaryTable& table, std::int64_t patch, const std::vector<double>& angles) {
  ASSERT_EQ(table.cos.size(1), static_cast<std::int64_t>(angles.size()));
  for (std::size_t i = 0; i < angles.size(); ++i) {
    EXPECT_NEAR(table.cos[patch][static_cast<std::int64_t>(i)].item<double>(), std::cos(angles[i]), 1e-6) << i;
    EXPECT_NEAR(table.sin[patch][static_cast<std::int64_t>(i)].item<double>(), std::sin(angles[i]), 1e-6) << i;
  }
}

TEST(Rotary, CountsRowsAndColumns) {  // EVA-02: heads of 8 have the rates 1 and 1/100
  const auto table = rotary_table({2, 3}, {.head_dim = 8});
  EXPECT_EQ(table.cos.sizes(), at::IntArrayRef({6, 8}));
  expect_angles(table, 0, {0, 0, 0, 0, 0, 0, 0, 0});
  expect_angles(table, 5, {1, 1, 0.01, 0.01, 2, 2, 0.02, 0.02});
}

TEST(Rotary, StretchesTheCountToTheReferenceGrid) {
  const auto table = rotary_table({2, 4}, {.head_dim = 4, .reference = Grid{3, 3}});
  expect_angles(table, 6, {1.5, 1.5, 1.5, 1.5});
}

TEST(Rotary, MayPutColumnsFirstAndStartElsewhere) {
  const auto table = rotary_table({2, 3}, {.head_dim = 4, .offset = 1, .columns_first = true});
  expect_angles(table, 5, {3, 3, 2, 2});
}

TEST(Rotary, TakesTheMiddlesOfPatchesFromMinusOneToOne) {  // DINOv3: rates 1 and 1/10
  const auto table = rotary_table({2, 4}, {.head_dim = 8,
                                           .temperature = 100,
                                           .coordinates = RotaryCoordinates::centred,
                                           .pairs = ops::RotaryPairs::halves});
  expect_angles(table, 4, {pi, pi / 10, -1.5 * pi, -0.15 * pi, pi, pi / 10, -1.5 * pi, -0.15 * pi});
}

TEST(Rotary, TurnsEachHeadByItsOwnFrequencies) {
  const Tensor rows = at::tensor({0.5f, 2.0f, 0.0f, 1.0f}).view({2, 2}),
               columns = at::tensor({0.0f, 3.0f, 1.0f, 0.0f}).view({2, 2});
  const auto table = rotary_table({2, 3}, {.head_dim = 4}, at::stack({rows, columns}));
  ASSERT_EQ(table.cos.sizes(), at::IntArrayRef({6, 2, 4}));
  const Tensor angles = at::tensor({0.5f, 0.5f, 8.0f, 8.0f, 2.0f, 2.0f, 1.0f, 1.0f}).view({2, 4});  // row 1, column 2
  EXPECT_LT(difference(table.cos[5], at::cos(angles)), 1e-6);
}

}  // namespace
}  // namespace nunchi::nn
