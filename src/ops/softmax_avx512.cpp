#include "ops/softmax_kernels.h"

#ifdef __AVX512F__
#include <immintrin.h>

namespace nunchi::ops::avx512 {
namespace {

__mmask16 tail_mask(std::int64_t left) { return left >= 16 ? 0xffff : static_cast<__mmask16>((1u << left) - 1); }

// 2^n * e^r with |r| <= ln 2 / 2, e^r by its Taylor polynomial of degree 6: relative error below 2e-7.
__m512 exponential(__m512 x) {
  const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)),
                                        _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), x);
  r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4f), r);
  constexpr float taylor[] = {1.f / 120, 1.f / 24, 1.f / 6, 0.5f, 1.f, 1.f};
  __m512 p = _mm512_set1_ps(1.f / 720);
  for (const float coefficient : taylor) p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(coefficient));
  return _mm512_scalef_ps(p, n);
}

float row_maximum(const float* row, std::int64_t columns) {
  const __m512 lowest = _mm512_set1_ps(-__builtin_inff());
  __m512 largest = lowest;
  for (std::int64_t j = 0; j < columns; j += 16) {
    largest = _mm512_max_ps(largest, _mm512_mask_loadu_ps(lowest, tail_mask(columns - j), row + j));
  }
  return _mm512_reduce_max_ps(largest);
}

__m256i to_bf16(__m512 value) {  // round to nearest, ties to even; never NaN here
  const __m512i bits = _mm512_castps_si512(value);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
  return _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16));
}

}  // namespace

void softmax_rows(const ScoreRows& r, const Bf16Rows& out) {
  const __m512 scale = _mm512_set1_ps(r.scale);
  const std::int64_t even = r.columns + r.columns % 2;
  for (std::int64_t i = 0; i < r.rows; ++i) {
    const float* row = r.scores + i * r.stride;
    const __m512 largest = _mm512_set1_ps(row_maximum(row, r.columns));
    __m512 sum = _mm512_setzero_ps();
    for (std::int64_t j = 0; j < r.columns; j += 16) {
      const __mmask16 mask = tail_mask(r.columns - j);
      const __m512 x = _mm512_maskz_loadu_ps(mask, row + j);
      const __m512 weight = _mm512_maskz_mov_ps(mask, exponential(_mm512_mul_ps(scale, _mm512_sub_ps(x, largest))));
      sum = _mm512_add_ps(sum, weight);
      _mm256_mask_storeu_epi16(out.weights + i * out.stride + j, tail_mask(even - j), to_bf16(weight));
    }
    r.inverse_sums[i] = 1 / _mm512_reduce_add_ps(sum);
  }
}

}  // namespace nunchi::ops::avx512
#endif
