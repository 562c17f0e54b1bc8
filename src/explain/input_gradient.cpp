#include "explain/input_gradient.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <numbers>

#include "ops/relevance.h"

namespace nunchi::explain {
namespace {

// Legendre's polynomial of this order and its derivative at x, by Bonnet's recursion.
std::array<double, 2> legendre(std::int64_t order, double x) {
  double before = 1, value = x;
  for (std::int64_t n = 2; n <= order; ++n) {
    const auto k = static_cast<double>(n);
    before = std::exchange(value, ((2 * k - 1) * x * value - (k - 1) * before) / k);
  }
  return {value, static_cast<double>(order) * (x * value - before) / (x * x - 1)};
}

// The zeros of the polynomial from near where they are (Abramowitz and Stegun 22.16.6), by Newton's steps.
double legendre_zero(std::int64_t order, std::int64_t index) {
  double x = -std::cos(std::numbers::pi * (static_cast<double>(index) + 0.75) / (static_cast<double>(order) + 0.5));
  for (int step = 0; step < 100; ++step) {
    const auto [value, slope] = legendre(order, x);
    const double change = value / slope;
    x -= change;
    if (std::abs(change) < 1e-15) break;
  }
  return x;
}

Tensor column(const std::vector<double>& numbers, std::int64_t begin, std::int64_t end) {
  const std::vector<double> part(numbers.begin() + begin, numbers.begin() + end);
  return at::tensor(part).to(at::kFloat).view({-1, 1, 1, 1});
}

}  // namespace

Quadrature gauss_legendre(std::int64_t order) {
  ASSERT(order > 0, "an integral has a point at least");
  if (order == 1) return {.points = {0.5}, .weights = {1}};
  Quadrature q;
  for (std::int64_t i = 0; i < order; ++i) {
    const double x = legendre_zero(order, i), slope = legendre(order, x)[1];
    q.points.push_back((x + 1) / 2);
    q.weights.push_back(1 / ((1 - x * x) * slope * slope));  // half of that for -1 to 1
  }
  return q;
}

Tensor input_x_gradient(const Subject& subject, const Target& target) {
  return (subject.pixels() * subject.input_gradients(subject.pixels(), target))[0];
}

Tensor layerwise_relevance(const Subject& subject, const Target& target) {
  const ops::RelevanceScope scope;
  return input_x_gradient(subject, target);
}

Tensor integrated_gradients(const Subject& subject, const Target& target, std::int64_t steps, const Work& work) {
  const auto way = gauss_legendre(steps);
  Tensor sum = at::zeros_like(subject.pixels());
  in_batches(steps, work, [&](std::int64_t begin, std::int64_t end) {
    const Tensor gradients = subject.input_gradients(column(way.points, begin, end) * subject.pixels(), target);
    sum += (gradients * column(way.weights, begin, end)).sum(0, /*keepdim=*/true);
  });
  return (subject.pixels() * sum)[0];
}

Tensor smooth_grad(const Subject& subject, const Target& target, std::int64_t samples, double noise, const Work& work) {
  const Tensor& pixels = subject.pixels();
  const double deviation = noise * (pixels.max() - pixels.min()).item<double>();
  const auto generator = at::detail::createCPUGenerator(work.seed);
  Tensor sum = at::zeros_like(pixels);
  in_batches(samples, work, [&](std::int64_t begin, std::int64_t end) {
    auto shape = pixels.sizes().vec();
    shape[0] = end - begin;
    const Tensor noisy = pixels + at::empty(shape, pixels.options()).normal_(0, deviation, generator);
    sum += subject.input_gradients(noisy, target).sum(0, /*keepdim=*/true);
  });
  return (sum / static_cast<double>(samples))[0];
}

Tensor pixel_map(const Tensor& contributions) { return at::relu(contributions.sum(0)); }

}  // namespace nunchi::explain
