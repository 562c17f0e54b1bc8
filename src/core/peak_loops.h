// core/peak_loops.h: what the loops of core/peak_kernels.h have in common over the vectors of an instruction set.
#pragma once

#include "core/peak_kernels.h"

// g++ 12 would move a sum of integers from register to register.
#define NUNCHI_STAYS_IN_ITS_REGISTER(vector) __asm__("" : "+v"(vector))

namespace nunchi {
namespace {  // compiled for one instruction set each

// The sum of the lanes of `sums` vectors, all of which begin as `first` and become step(sum) once a round.
template <int sums, class Lane, class Vector, class Step>
double sum_after(std::int64_t rounds, Vector first, const Step& step) {
  Vector sum[sums];
  for (auto& each : sum) each = first;
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 24
    for (int i = 0; i < sums; ++i) sum[i] = step(sum[i]);
  }
  double total = 0;
  for (const auto& each : sum) {
    Lane lanes[sizeof(Vector) / sizeof(Lane)];
    __builtin_memcpy(lanes, &each, sizeof each);
    for (const Lane lane : lanes) total += lane;
  }
  return total;
}

}  // namespace
}  // namespace nunchi
