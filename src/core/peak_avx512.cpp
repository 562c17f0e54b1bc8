#ifdef __AVX512F__
#include <immintrin.h>

#include "core/peak_loops.h"

namespace nunchi::avx512 {
namespace {

constexpr int sums = 24;  // of 32 registers, two of which hold the factors

double fp32(std::int64_t rounds, double start) {
  const __m512 factor = _mm512_set1_ps(0.5f), addend = _mm512_set1_ps(static_cast<float>(start));
  return sum_after<sums, float>(rounds, addend, [&](__m512 sum) { return _mm512_fmadd_ps(sum, factor, addend); });
}

double bf16(std::int64_t rounds, double start) {
  const __m512 value = _mm512_set1_ps(static_cast<float>(start));
  const __m512bh factor = _mm512_cvtne2ps_pbh(value, value);
  return sum_after<sums, float>(rounds, value, [&](__m512 sum) { return _mm512_dpbf16_ps(sum, factor, factor); });
}

double int8(std::int64_t rounds, double start) {
  const __m512i left = _mm512_set1_epi8(static_cast<char>(start)), right = _mm512_set1_epi8(-3);
  return sum_after<sums, std::int32_t>(rounds, _mm512_setzero_si512(), [&](__m512i sum) {
    __m512i next = _mm512_dpbusd_epi32(sum, left, right);
    NUNCHI_STAYS_IN_ITS_REGISTER(next);
    return next;
  });
}

}  // namespace

PeakKernels peak_kernels() { return {{fp32, 2.0 * sums * 16}, {bf16, 2.0 * sums * 32}, {int8, 2.0 * sums * 64}}; }

}  // namespace nunchi::avx512
#endif
