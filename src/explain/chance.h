// explain/chance.h: chance that is the same on every machine.
//
//   Chance chance(seed);
//   const double share = chance.share();    // [0, 1)
//   const double x = chance.normal();       // mean 0, deviation 1
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>

namespace nunchi::explain {

// The standard fixes what the engine gives, but not what its distributions do.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : engine_(seed) {}

  double share() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  double normal() {  // Box and Muller 1958
    const double radius = std::sqrt(-2 * std::log(1 - share()));
    return radius * std::cos(2 * std::numbers::pi * share());
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace nunchi::explain
