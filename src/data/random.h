// data/random.h: chance that any order of work repeats.
//
// Every use has a stream of its own, named by three numbers: nothing is shared between threads, nothing need be stored
// to continue later, and how much one sample draws does not move the next one.
//
//   Random random(seed, epoch, sample);
//   const bool flip = random.chance(0.5);
//   const double angle = random.uniform(-10, 10);
//   const auto order = permutation(samples.size(), seed, epoch);
//
// Philox 4x32 with 10 rounds (Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3").
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace nunchi::data {

// The block of four words that belongs to this counter and key.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

// The integers and uniform() are the same on every machine; what goes through the C library's exp, log and cos (normal,
// beta) may differ in its last bit between two C libraries.
class Random {
 public:
  // E.g. seed, epoch, index of the sample. stream_a is below 2^32, and a stream has 2^34 words. Streams with
  // stream_b >= first_reserved_stream are this folder's own.
  Random(std::uint64_t seed, std::uint64_t stream_a, std::uint64_t stream_b);

  static constexpr std::uint64_t first_reserved_stream = std::uint64_t{1} << 63;

  std::uint32_t next();
  double uniform();  // [0, 1), 53 bits
  double uniform(double low, double high);
  std::int64_t below(std::int64_t n);  // 0 to n - 1, without bias; n > 0
  bool chance(double probability);
  double normal();                  // mean 0, deviation 1
  double beta(double a, double b);  // a, b > 0, however small: mixup's lambda

  template <class T>
  void shuffle(T& values) {
    for (std::size_t i = values.size(); i > 1; --i)
      std::swap(values[i - 1], values[static_cast<std::size_t>(below(static_cast<std::int64_t>(i)))]);
  }

 private:
  std::uint64_t next_pair();
  double log_gamma_draw(double shape);

  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  std::size_t used_ = 4;  // of block_
};

// 0 to n - 1 in random order.
std::vector<std::size_t> permutation(std::size_t n, std::uint64_t seed, std::uint64_t epoch);

}  // namespace nunchi::data
