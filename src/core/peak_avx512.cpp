#include "core/peak_kernels.h"

#ifdef __AVX512F__
#include <immintrin.h>

namespace nunchi::avx512 {
namespace {

constexpr int sums = 24;  // of 32 registers, two of which hold the factors

double total(__m512 sum) {
  float lanes[16];
  _mm512_storeu_ps(lanes, sum);
  double all = 0;
  for (const float lane : lanes) all += lane;
  return all;
}

double total(__m512i sum) {
  std::int32_t lanes[16];
  _mm512_storeu_si512(lanes, sum);
  double all = 0;
  for (const auto lane : lanes) all += lane;
  return all;
}

double fp32(std::int64_t rounds, double start) {
  const __m512 factor = _mm512_set1_ps(0.5f), addend = _mm512_set1_ps(static_cast<float>(start));
  __m512 sum[sums];
  for (auto& each : sum) each = addend;
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 24
    for (int i = 0; i < sums; ++i) sum[i] = _mm512_fmadd_ps(sum[i], factor, addend);
  }
  for (int i = 1; i < sums; ++i) sum[0] = _mm512_add_ps(sum[0], sum[i]);
  return total(sum[0]);
}

double bf16(std::int64_t rounds, double start) {
  const __m512 value = _mm512_set1_ps(static_cast<float>(start));
  const __m512bh factor = _mm512_cvtne2ps_pbh(value, value);
  __m512 sum[sums];
  for (auto& each : sum) each = value;
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 24
    for (int i = 0; i < sums; ++i) sum[i] = _mm512_dpbf16_ps(sum[i], factor, factor);
  }
  for (int i = 1; i < sums; ++i) sum[0] = _mm512_add_ps(sum[0], sum[i]);
  return total(sum[0]);
}

double int8(std::int64_t rounds, double start) {
  const __m512i left = _mm512_set1_epi8(static_cast<char>(start)), right = _mm512_set1_epi8(-3);
  __m512i sum[sums];
  for (auto& each : sum) each = _mm512_setzero_si512();
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 24
    for (int i = 0; i < sums; ++i) {
      __m512i next = _mm512_dpbusd_epi32(sum[i], left, right);
      __asm__("" : "+v"(next));  // it stays where it is: g++ 12 would move it from register to register
      sum[i] = next;
    }
  }
  for (int i = 1; i < sums; ++i) sum[0] = _mm512_add_epi32(sum[0], sum[i]);
  return total(sum[0]);
}

}  // namespace

PeakKernels peak_kernels() { return {{fp32, 2.0 * sums * 16}, {bf16, 2.0 * sums * 32}, {int8, 2.0 * sums * 64}}; }

}  // namespace nunchi::avx512
#endif
