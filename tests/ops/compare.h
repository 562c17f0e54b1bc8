// ops/compare.h: tensors for tests, and how far two of them are apart.
//
//   const Tensor x = random({2, 197, 768}, 1);
//   EXPECT_LT(difference(ops::linear(x, fused), ops::linear(x, plain)), 1e-5);
#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "ops/tensor.h"

namespace nunchi {

inline Tensor random(const Shape& shape, std::uint64_t seed, at::ScalarType dtype = at::kFloat) {
  return at::empty(shape, at::kDouble).normal_(0, 1, at::detail::createCPUGenerator(seed)).to(dtype);
}

// The largest absolute difference over the largest absolute value of `expected`; NaN or infinity where they cannot be
// compared.
inline double difference(const Tensor& found, const Tensor& expected) {
  if (found.sizes() != expected.sizes()) return std::numeric_limits<double>::infinity();
  if (expected.numel() == 0) return 0;
  const Tensor a = found.detach().to(at::kDouble), b = expected.detach().to(at::kDouble);
  return (a - b).abs().max().item<double>() / std::max(b.abs().max().item<double>(), 1e-30);
}

inline bool same(const Tensor& a, const Tensor& b) { return a.scalar_type() == b.scalar_type() && at::equal(a, b); }

inline bool all_finite(const Tensor& t) { return t.isfinite().all().item<bool>(); }

// Compares the gradients of sum(f(inputs) * fixed noise) with central differences, in double, element by element.
inline void expect_right_gradients(const std::function<Tensor(const std::vector<Tensor>&)>& f,
                                   std::vector<Tensor> inputs) {
  const auto loss = [&] {
    const Tensor y = f(inputs);
    return (y * random(y.sizes().vec(), 99, at::kDouble)).sum();
  };
  for (auto& input : inputs) input.requires_grad_();
  loss().backward();
  constexpr double step = 1e-5;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    ASSERT_TRUE(inputs[i].grad().defined()) << "input " << i;
    const Tensor gradient = inputs[i].grad().contiguous().view({-1}), values = inputs[i].detach().view({-1});
    for (std::int64_t j = 0; j < values.size(0); ++j) {
      const double value = values[j].item<double>();
      values[j].fill_(value + step);
      const double above = loss().item<double>();
      values[j].fill_(value - step);
      const double below = loss().item<double>();
      values[j].fill_(value);
      EXPECT_NEAR(gradient[j].item<double>(), (above - below) / (2 * step), 1e-6) << "input " << i << ", element " << j;
    }
  }
}

}  // namespace nunchi
