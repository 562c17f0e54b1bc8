#include "nn/position.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include "core/in_child.h"
#include "ops/compare.h"

namespace nunchi::nn {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(SinusoidalPositions, HasTheValuesOfThePaper) {  // R004
  const Tensor table = sinusoidal_positions(197, 768);
  EXPECT_EQ(table.sizes(), at::IntArrayRef({197, 768}));
  const double expected[] = {.841471, .540302, .828431, .560091};
  for (std::int64_t i = 0; i < 4; ++i) EXPECT_NEAR(table[1][i].item<double>(), expected[i], 5e-7);
  EXPECT_NEAR(table[196][767].item<double>(), std::cos(196 / std::pow(10000.0, 766.0 / 768)), 1e-6);
  EXPECT_LT(difference(table.pow(2).sum(1), 384 * at::ones({197})), 1e-6);
}

TEST(SinusoidalPositions, TakesAnOddWidth) {  // R004
  const Tensor table = sinusoidal_positions(10, 7);
  EXPECT_EQ(table.sizes(), at::IntArrayRef({10, 7}));
  EXPECT_TRUE(all_finite(table));
  for (std::int64_t column = 0; column < 7; ++column) {
    const double angle = 3 / std::pow(10000.0, static_cast<double>(column / 2 * 2) / 7);
    EXPECT_NEAR(table[3][column].item<double>(), column % 2 == 0 ? std::sin(angle) : std::cos(angle), 1e-6);
  }
  EXPECT_EQ(sinusoidal_positions(3, 1).sizes(), at::IntArrayRef({3, 1}));
}

TEST(InterpolatePositions, GivesTheTableItselfForItsOwnGrid) {
  const Tensor table = random({1, 1 + 4 * 5, 8}, 1);
  EXPECT_TRUE(interpolate_positions(table, {4, 5}, {4, 5}).is_same(table));
}

TEST(InterpolatePositions, KeepsTheRowsOfPrefixTokens) {
  const Tensor table = random({1, 2 + 4 * 5, 8}, 1);
  for (const bool antialias : {false, true}) {
    const Tensor resampled = interpolate_positions(table, {4, 5}, {7, 3}, {.prefix_tokens = 2, .antialias = antialias});
    EXPECT_EQ(resampled.sizes(), at::IntArrayRef({1, 2 + 7 * 3, 8}));
    EXPECT_TRUE(same(resampled.slice(1, 0, 2), table.slice(1, 0, 2)));
  }
}

// Cubic convolution (Keys 1981) with a = -0.75.
double cubic(double x) {
  constexpr double a = -0.75;
  const double d = std::abs(x);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

// Resamples a column of 8 to `rows` and compares each with the cubic around `centre(row)`.
void expect_cubic(std::int64_t rows, const InterpolationOptions& options, const std::function<double(double)>& centre) {
  const Tensor column = random({8}, 3), map = column.view({8, 1}).expand({8, 8}).reshape({1, 64, 1});
  const Tensor table = at::cat({at::zeros({1, 1, 1}), map}, 1);
  const Tensor found = interpolate_positions(table, {8, 8}, {rows, 8}, options).slice(1, 1).view({rows, 8});
  for (std::int64_t row = 0; row < rows; ++row) {
    const double at = centre(static_cast<double>(row));
    double expected = 0;
    for (auto i = static_cast<std::int64_t>(std::floor(at)) - 1; i <= std::floor(at) + 2; ++i)
      expected += cubic(at - static_cast<double>(i)) * column[std::clamp<std::int64_t>(i, 0, 7)].item<double>();
    EXPECT_NEAR(found[row][3].item<double>(), expected, 1e-5) << row;
  }
}

TEST(InterpolatePositions, IsCubicBetweenPixelCentres) {
  expect_cubic(16, {}, [](double row) { return (row + 0.5) / 2 - 0.5; });
}

TEST(InterpolatePositions, AlignsTheCornersWhereAsked) {  // torchvision
  expect_cubic(16, {.align_corners = true}, [](double row) { return row * 7 / 15; });
}

TEST(InterpolatePositions, LaysItsKernelOutForALargerGridWhereAsked) {  // DINO
  expect_cubic(16, {.scale_offset = 0.1}, [](double row) { return (row + 0.5) * 8 / 16.1 - 0.5; });
  expect_cubic(8, {.scale_offset = 0.1}, [](double row) { return row; });
  expect_cubic(8, {.scale_offset = 0.1, .even_to_same_grid = true},
               [](double row) { return (row + 0.5) * 8 / 8.1 - 0.5; });
}

TEST(InterpolatePositions, SmoothsWhenShrinkingOnlyWithAntialias) {
  Tensor stripes = at::zeros({1, 1 + 64, 1});
  stripes.slice(1, 1, 65, 2).fill_(1);  // every other column
  const auto spread = [](const Tensor& t) {
    const Tensor rows = t.slice(1, 1);
    return (rows.amax() - rows.amin()).item<double>();
  };
  const auto sharp = interpolate_positions(stripes, {8, 8}, {8, 3}),
             smooth = interpolate_positions(stripes, {8, 8}, {8, 3}, {.antialias = true});
  EXPECT_GT(spread(sharp), 2 * spread(smooth));
}

TEST(InterpolatePositions, IsDifferentiable) {
  const Tensor table = random({1, 1 + 9, 2}, 1).requires_grad_();
  for (const bool antialias : {false, true}) {
    table.mutable_grad() = Tensor();
    interpolate_positions(table, {3, 3}, {5, 4}, {.antialias = antialias}).pow(2).sum().backward();
    EXPECT_TRUE(all_finite(table.grad()));
    EXPECT_GT(table.grad().abs().min().item<double>(), 0);
  }
}

TEST(InterpolatePositions, NamesBothLengthsWhereTheTableDoesNotFit) {  // R005
  const auto error = error_of([] { interpolate_positions(random({1, 196, 8}, 1), {14, 14}, {14, 14}); });
  EXPECT_THAT(error, AllOf(HasSubstr("1 + 14 x 14"), HasSubstr("196")));
}

}  // namespace
}  // namespace nunchi::nn
