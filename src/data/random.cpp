#include "data/random.h"

#include <cmath>
#include <numbers>
#include <numeric>

#include "core/assert.h"

namespace nunchi::data {
namespace {

constexpr std::uint64_t order_stream = Random::first_reserved_stream;

// The high and the low half of the product.
std::array<std::uint32_t, 2> multiply(std::uint32_t a, std::uint32_t b) {
  const std::uint64_t product = std::uint64_t{a} * b;
  return {static_cast<std::uint32_t>(product >> 32), static_cast<std::uint32_t>(product)};
}

}  // namespace

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const auto first = multiply(0xD2511F53, counter[0]);
    const auto second = multiply(0xCD9E8D57, counter[2]);
    counter = {second[0] ^ counter[1] ^ key[0], second[1], first[0] ^ counter[3] ^ key[1], first[1]};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

Random::Random(std::uint64_t seed, std::uint64_t stream_a, std::uint64_t stream_b)
    : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
      counter_{0, static_cast<std::uint32_t>(stream_a), static_cast<std::uint32_t>(stream_b),
               static_cast<std::uint32_t>(stream_b >> 32)} {
  ASSERT(stream_a >> 32 == 0, "the first number of a stream has 32 bits");
}

std::uint32_t Random::next() {
  if (used_ == block_.size()) {
    block_ = philox(counter_, key_);
    ++counter_[0];
    used_ = 0;
  }
  return block_[used_++];
}

std::uint64_t Random::next_pair() {
  const std::uint64_t high = next();
  return high << 32 | next();
}

double Random::uniform() { return static_cast<double>(next_pair() >> 11) * 0x1p-53; }

double Random::uniform(double low, double high) { return low + (high - low) * uniform(); }

// Lemire 2019, "Fast random integer generation in an interval", where n has 32 bits; by rejection above.
std::int64_t Random::below(std::int64_t n) {
  ASSERT(n > 0, "there is a number to draw");
  const auto count = static_cast<std::uint64_t>(n);
  if (count >> 32 != 0) {
    const std::uint64_t excess = (0 - count) % count;  // 2^64 modulo count
    std::uint64_t drawn = next_pair();
    while (drawn < excess) drawn = next_pair();
    return static_cast<std::int64_t>(drawn % count);
  }
  std::uint64_t product = next() * count;
  const std::uint64_t excess = (std::uint64_t{1} << 32) % count;
  while ((product & 0xFFFFFFFF) < excess) product = next() * count;
  return static_cast<std::int64_t>(product >> 32);
}

bool Random::chance(double probability) { return uniform() < probability; }

// Box and Muller 1958; the second number is not kept, so that two draws never depend on what came between them.
double Random::normal() {
  const double radius = std::sqrt(-2 * std::log(1 - uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

// The logarithm of a gamma variate, since the variate itself is 0 for small shapes. Marsaglia and Tsang 2000.
double Random::log_gamma_draw(double shape) {
  if (shape < 1) {
    const double log_power = std::log(1 - uniform()) / shape;
    return log_gamma_draw(shape + 1) + log_power;
  }
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = normal();
    const double root = 1 + c * x;
    const double u = 1 - uniform();
    if (root <= 0) continue;
    const double log_v = 3 * std::log(root);
    if (std::log(u) < 0.5 * x * x + d * (1 - root * root * root + log_v)) return std::log(d) + log_v;
  }
}

double Random::beta(double a, double b) {
  ASSERT(a > 0 && b > 0, "a beta distribution has two positive parameters");
  const double log_first = log_gamma_draw(a);
  const double log_second = log_gamma_draw(b);
  return 1 / (1 + std::exp(log_second - log_first));
}

std::vector<std::size_t> permutation(std::size_t n, std::uint64_t seed, std::uint64_t epoch) {
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random random(seed, epoch, order_stream);
  random.shuffle(order);
  return order;
}

}  // namespace nunchi::data
