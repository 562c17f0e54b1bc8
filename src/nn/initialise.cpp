#include "nn/initialise.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>

#include <cmath>
#include <numeric>

namespace nunchi::nn {
namespace {

double fan(const Shape& shape, std::size_t channel_axis) {
  const auto kernel = std::accumulate(shape.begin() + 2, shape.end(), std::int64_t{1}, std::multiplies<>());
  return static_cast<double>(shape[channel_axis] * kernel);
}

}  // namespace

at::Generator seeded(std::uint64_t seed) { return at::detail::createCPUGenerator(seed); }

Tensor truncated_normal(const Shape& shape, const at::Generator& generator, double std) {
  return at::empty(shape, at::kFloat).normal_(0, std, generator).clamp_(-2, 2);
}

Tensor constant(const Shape& shape, double value) { return at::full(shape, value, at::kFloat); }

Tensor kaiming_uniform(const Shape& shape, const at::Generator& generator) {
  const double bound = 1 / std::sqrt(fan(shape, 1));
  return at::empty(shape, at::kFloat).uniform_(-bound, bound, generator);
}

Tensor kaiming_normal_fan_out(const Shape& shape, const at::Generator& generator) {
  return at::empty(shape, at::kFloat).normal_(0, std::sqrt(2 / fan(shape, 0)), generator);
}

}  // namespace nunchi::nn
