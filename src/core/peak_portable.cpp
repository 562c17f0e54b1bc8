#include "core/peak_loops.h"

namespace nunchi::portable {
namespace {

using Floats = float __attribute__((vector_size(16)));  // the compiler's own vectors: SSE2, NEON or plain floats

constexpr int sums = 12, lanes = 4;

double fp32(std::int64_t rounds, double start) {
  const Floats factor = Floats{} + 0.5f, addend = Floats{} + static_cast<float>(start);
  return sum_after<sums, float>(rounds, addend, [&](Floats sum) { return sum * factor + addend; });
}

}  // namespace

PeakKernels peak_kernels() { return {{fp32, 2.0 * sums * lanes}, {nullptr, 0}, {nullptr, 0}}; }

}  // namespace nunchi::portable
