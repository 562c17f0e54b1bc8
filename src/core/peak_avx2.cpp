#ifdef __AVX2__
#include <immintrin.h>

#include "core/peak_loops.h"

namespace nunchi::avx2 {
namespace {

constexpr int sums = 12;  // of 16 registers, two of which hold the factors

double fp32(std::int64_t rounds, double start) {
  const __m256 factor = _mm256_set1_ps(0.5f), addend = _mm256_set1_ps(static_cast<float>(start));
  return sum_after<sums, float>(rounds, addend, [&](__m256 sum) { return _mm256_fmadd_ps(sum, factor, addend); });
}

double int8(std::int64_t rounds, double start) {
  const __m256i left = _mm256_set1_epi8(static_cast<char>(start)), right = _mm256_set1_epi8(-3);
  return sum_after<sums, std::int32_t>(rounds, _mm256_setzero_si256(), [&](__m256i sum) {
    __m256i next = _mm256_dpbusd_avx_epi32(sum, left, right);
    NUNCHI_STAYS_IN_ITS_REGISTER(next);
    return next;
  });
}

}  // namespace

PeakKernels peak_kernels() { return {{fp32, 2.0 * sums * 8}, {nullptr, 0}, {int8, 2.0 * sums * 32}}; }

}  // namespace nunchi::avx2
#endif
