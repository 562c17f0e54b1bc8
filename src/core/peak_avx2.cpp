#include "core/peak_kernels.h"

#ifdef __AVX2__
#include <immintrin.h>

namespace nunchi::avx2 {
namespace {

constexpr int sums = 12;  // of 16 registers, two of which hold the factors

double total(__m256 sum) {
  float lanes[8];
  _mm256_storeu_ps(lanes, sum);
  double all = 0;
  for (const float lane : lanes) all += lane;
  return all;
}

double total(__m256i sum) {
  std::int32_t lanes[8];
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(lanes), sum);
  double all = 0;
  for (const auto lane : lanes) all += lane;
  return all;
}

double fp32(std::int64_t rounds, double start) {
  const __m256 factor = _mm256_set1_ps(0.5f), addend = _mm256_set1_ps(static_cast<float>(start));
  __m256 sum[sums];
  for (auto& each : sum) each = addend;
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < sums; ++i) sum[i] = _mm256_fmadd_ps(sum[i], factor, addend);
  }
  for (int i = 1; i < sums; ++i) sum[0] = _mm256_add_ps(sum[0], sum[i]);
  return total(sum[0]);
}

double int8(std::int64_t rounds, double start) {
  const __m256i left = _mm256_set1_epi8(static_cast<char>(start)), right = _mm256_set1_epi8(-3);
  __m256i sum[sums];
  for (auto& each : sum) each = _mm256_setzero_si256();
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < sums; ++i) {
      __m256i next = _mm256_dpbusd_avx_epi32(sum[i], left, right);
      __asm__("" : "+v"(next));  // it stays where it is: g++ 12 would move it from register to register
      sum[i] = next;
    }
  }
  for (int i = 1; i < sums; ++i) sum[0] = _mm256_add_epi32(sum[0], sum[i]);
  return total(sum[0]);
}

}  // namespace

PeakKernels peak_kernels() { return {{fp32, 2.0 * sums * 8}, {nullptr, 0}, {int8, 2.0 * sums * 32}}; }

}  // namespace nunchi::avx2
#endif
