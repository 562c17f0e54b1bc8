#include "ops/norm.h"

#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include "ops/compare.h"
#include "ops/policy.h"
#include "ops/swiglu.h"

namespace nunchi::ops {
namespace {

LayerNormWeights layer_weights(std::int64_t dim, double eps, at::ScalarType dtype = at::kFloat) {
  return {.weight = random({dim}, 1, dtype), .bias = random({dim}, 2, dtype), .eps = eps};
}

Tensor layer_norm_exact(const Tensor& x, const LayerNormWeights& w) {
  const Tensor wide = x.to(at::kDouble), centred = wide - wide.mean(-1, true);
  const Tensor variance = (centred * centred).mean(-1, true);
  return centred / (variance + w.eps).sqrt() * w.weight.to(at::kDouble) + w.bias.to(at::kDouble);
}

TEST(LayerNorm, EqualsItsFormulaInBothPaths) {
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    for (const std::int64_t dim : {5, 17, 768}) {
      const auto w = layer_weights(dim, 1e-6, dtype);
      const Tensor x = random({2, 3, 2 * dim}, 3, dtype).slice(2, 0, 2 * dim, 2);
      const double tolerance = dtype == at::kFloat ? 1e-5 : 1e-2;
      reset_path_counts();
      const Tensor fused = layer_norm(x, w);
      EXPECT_EQ(path_counts().fused, 1);
      const PolicyScope scope(Policy::reference);
      const Tensor reference = layer_norm(x, w);
      EXPECT_EQ(path_counts().reference, 1);
      EXPECT_LT(difference(fused, layer_norm_exact(x, w)), tolerance) << dim;
      EXPECT_LT(difference(reference, layer_norm_exact(x, w)), tolerance) << dim;
      EXPECT_EQ(fused.scalar_type(), dtype);
      EXPECT_EQ(reference.scalar_type(), dtype);
    }
  }
}

// Rows are taken four at a time, columns in vectors; and what all numbers of a row have in common must not drown the
// rest.
TEST(LayerNorm, EqualsItsFormulaAtInference) {
  const c10::InferenceMode inference;
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    for (const std::int64_t dim : {1, 5, 16, 17, 96, 100, 768}) {
      for (const std::int64_t rows : {1, 3, 4, 7, 201}) {
        for (const bool has_weights : {true, false}) {
          const double mean = dtype == at::kFloat ? 30 : 2;
          const Tensor x = (mean + random({rows, dim}, 3)).to(dtype);
          const auto w = has_weights ? layer_weights(dim, 1e-6, dtype) : LayerNormWeights{.eps = 1e-6};
          const auto exact =
              has_weights ? layer_norm_exact(x, w) : layer_norm_exact(x, {at::ones({dim}), at::zeros({dim}), 1e-6});
          const Tensor y = layer_norm(x, w);
          EXPECT_EQ(y.scalar_type(), dtype);
          const Tensor rounding = exact.abs() * (dtype == at::kFloat ? 0.0 : 1.0 / 256);  // of the result
          EXPECT_LT(((y.to(at::kDouble) - exact).abs() - rounding).max().item<double>(), 1e-4) << rows << "x" << dim;
        }
      }
    }
  }
}

TEST(LayerNorm, AddsItsOwnEpsilon) {
  const Tensor x = random({3, 17}, 4) * 1e-3;  // a small signal: another epsilon shows
  for (const auto policy : {Policy::fused, Policy::reference}) {
    const PolicyScope scope(policy);
    const Tensor small = layer_norm(x, layer_weights(17, 1e-12)), large = layer_norm(x, layer_weights(17, 1e-5));
    EXPECT_LT(difference(small, layer_norm_exact(x, layer_weights(17, 1e-12))), 1e-4);
    EXPECT_LT(difference(large, layer_norm_exact(x, layer_weights(17, 1e-5))), 1e-4);
    EXPECT_GT(difference(small, large), 0.1);
  }
}

TEST(LayerNorm, HasTheGradientsOfFiniteDifferences) {
  for (const auto policy : {Policy::fused, Policy::reference}) {
    const PolicyScope scope(policy);
    expect_right_gradients(
        [](const auto& in) { return layer_norm(in[0], {.weight = in[1], .bias = in[2]}); },
        {random({2, 3, 5}, 1, at::kDouble), random({5}, 2, at::kDouble), random({5}, 3, at::kDouble)});
  }
}

Tensor rms_norm_exact(const Tensor& x, const Tensor& weight, double eps) {
  const Tensor wide = x.to(at::kDouble);
  return wide / ((wide * wide).mean(-1, true) + eps).sqrt() * weight.to(at::kDouble);
}

TEST(RmsNorm, EqualsItsFormulaInBothPaths) {
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    const Tensor weight = random({17}, 1, dtype), x = (random({2, 3, 34}, 3, dtype) * 1e-3).slice(2, 0, 34, 2);
    for (const double eps : {1e-6, 1e-5}) {  // the signal is small: another epsilon shows
      for (const auto policy : {Policy::fused, Policy::reference}) {
        const PolicyScope scope(policy);
        const Tensor y = rms_norm(x, weight, eps);
        EXPECT_LT(difference(y, rms_norm_exact(x, weight, eps)), dtype == at::kFloat ? 1e-5 : 1e-2);
        EXPECT_EQ(y.scalar_type(), dtype);
      }
    }
  }
}

TEST(RmsNorm, HasTheGradientsOfFiniteDifferences) {
  for (const auto policy : {Policy::fused, Policy::reference}) {
    const PolicyScope scope(policy);
    expect_right_gradients([](const auto& in) { return rms_norm(in[0], in[1], 1e-6); },
                           {random({2, 3, 5}, 1, at::kDouble), random({5}, 2, at::kDouble)});
  }
}

TEST(LayerNorm2d, NormalisesTheChannelsOfEachPixel) {
  const auto w = layer_weights(6, 1e-6);
  const Tensor x = random({2, 6, 3, 5}, 5);
  const Tensor expected = layer_norm_exact(x.permute({0, 2, 3, 1}), w).permute({0, 3, 1, 2});
  for (const auto policy : {Policy::fused, Policy::reference}) {
    const PolicyScope scope(policy);
    for (const Tensor& laid_out : {x, x.contiguous(at::MemoryFormat::ChannelsLast)}) {
      const Tensor y = layer_norm_2d(laid_out, w);
      EXPECT_LT(difference(y, expected), 1e-5);
      EXPECT_TRUE(y.is_contiguous(at::MemoryFormat::ChannelsLast));
    }
  }
}

TEST(LayerNorm, NeedsNoWeights) {
  const Tensor x = random({3, 17}, 4);
  const LayerNormWeights ones{.weight = at::ones({17}), .bias = at::zeros({17})};
  for (const auto policy : {Policy::fused, Policy::reference}) {
    const PolicyScope scope(policy);
    EXPECT_LT(difference(layer_norm(x, {}), layer_norm(x, ones)), 1e-6);
  }
}

TEST(GlobalResponseNorm, EqualsItsFormulaInBothPaths) {
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    const Tensor x = random({2, 5, 7, 12}, 1, dtype) * 3, wide = x.to(at::kDouble);
    const ResponseNormWeights w{random({12}, 2, dtype), random({12}, 3, dtype)};
    const Tensor length = (wide * wide).sum({1, 2}, true).sqrt();
    const Tensor expected =
        wide + w.weight.to(at::kDouble) * wide * (length / (length.mean(-1, true) + 1e-6)) + w.bias.to(at::kDouble);
    for (const auto policy : {Policy::fused, Policy::reference}) {
      const PolicyScope scope(policy);
      const Tensor y = global_response_norm(x, w);
      EXPECT_EQ(y.scalar_type(), dtype);
      EXPECT_LT(difference(y, expected), dtype == at::kFloat ? 1e-5 : 2e-2);
    }
  }
}

TEST(GlobalResponseNorm, HasTheGradientsOfFiniteDifferences) {
  const PolicyScope scope(Policy::reference);
  expect_right_gradients(
      [](const auto& in) {
        return global_response_norm(in[0], {in[1], in[2]});
      },
      {random({2, 2, 3, 4}, 1, at::kDouble), random({4}, 2, at::kDouble), random({4}, 3, at::kDouble)});
}

BatchNormWeights batch_weights(std::int64_t channels, at::ScalarType dtype = at::kFloat) {
  return {.weight = random({channels}, 1, dtype),
          .bias = random({channels}, 2, dtype),
          .running_mean = random({channels}, 3, dtype),
          .running_var = random({channels}, 4, dtype).abs() + 0.1,
          .eps = 1e-3};
}

TEST(BatchNorm, UsesTheRunningStatisticsAtInference) {
  const auto w = batch_weights(5);
  const Tensor x = random({2, 5, 3, 4}, 5);
  const double scale = w.weight[2].item<double>() / std::sqrt(w.running_var[2].item<double>() + 1e-3);
  const double expected =
      (x[1][2][0][3].item<double>() - w.running_mean[2].item<double>()) * scale + w.bias[2].item<double>();
  for (const auto policy : {Policy::fused, Policy::reference}) {
    const PolicyScope scope(policy);
    EXPECT_NEAR(batch_norm(x, w)[1][2][0][3].item<double>(), expected, 1e-5);
  }
  const Tensor fused = batch_norm(x, w);
  const PolicyScope scope(Policy::reference);
  EXPECT_LT(difference(fused, batch_norm(x, w)), 1e-5);
}

TEST(BatchNorm, UsesTheBatchInTrainingAndMovesTheRunningStatistics) {
  BatchNormWeights w{
      .weight = at::ones({3}), .bias = at::zeros({3}), .running_mean = at::zeros({3}), .running_var = at::ones({3})};
  const Tensor x = random({4, 3, 5, 5}, 6) * 3 + 2;
  const Tensor y = batch_norm(x, w, /*training=*/true, /*momentum=*/0.25);
  EXPECT_LT(y.mean({0, 2, 3}).abs().max().item<double>(), 1e-5);
  EXPECT_LT(difference(w.running_mean, 0.25 * x.mean({0, 2, 3})), 1e-5);
  EXPECT_LT(difference(w.running_var, 0.75 + 0.25 * x.transpose(0, 1).flatten(1).var(1)), 1e-5);
}

TEST(BatchNorm, HasTheGradientsOfFiniteDifferences) {
  const auto w = batch_weights(3, at::kDouble);
  for (const auto policy : {Policy::fused, Policy::reference}) {
    const PolicyScope scope(policy);
    const auto f = [&](const std::vector<Tensor>& in) {
      return batch_norm(in[0], {in[1], in[2], w.running_mean, w.running_var, w.eps});
    };
    expect_right_gradients(f, {random({2, 3, 2, 2}, 5, at::kDouble), w.weight.clone(), w.bias.clone()});
  }
}

TEST(Swiglu, GatesTheSecondHalfWithTheFirst) {
  const Tensor x = random({2, 3, 10}, 1), y = swiglu(x);
  EXPECT_EQ(y.sizes(), at::IntArrayRef({2, 3, 5}));
  const double gate = x[1][2][0].item<double>(), value = x[1][2][5].item<double>();
  EXPECT_NEAR(y[1][2][0].item<double>(), gate / (1 + std::exp(-gate)) * value, 1e-6);
  expect_right_gradients([](const auto& in) { return swiglu(in[0]); }, {random({2, 6}, 2, at::kDouble)});
}

}  // namespace
}  // namespace nunchi::ops
