#include "ops/softmax_kernels.h"

#ifdef __AVX2__
#include <immintrin.h>

namespace nunchi::ops::avx2 {
namespace {

// 2^n * e^r with |r| <= ln 2 / 2, e^r by its Taylor polynomial of degree 6: relative error below 2e-7.
__m256 exponential(__m256 x) {
  x = _mm256_max_ps(x, _mm256_set1_ps(-87.f));  // below, the exponent of a float ends; e^-87 is 1e-38
  const __m256 n =
      _mm256_round_ps(_mm256_mul_ps(x, _mm256_set1_ps(1.44269504f)), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(0.693359375f), x);
  r = _mm256_fnmadd_ps(n, _mm256_set1_ps(-2.12194440e-4f), r);
  constexpr float taylor[] = {1.f / 120, 1.f / 24, 1.f / 6, 0.5f, 1.f, 1.f};
  __m256 p = _mm256_set1_ps(1.f / 720);
  for (const float coefficient : taylor) p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(coefficient));
  const __m256i exponent = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
  return _mm256_mul_ps(p, _mm256_castsi256_ps(exponent));
}

__m256i tail_mask(std::int64_t left) {
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(left >= 8 ? 8 : static_cast<int>(left)), lanes);
}

__m256 load(const float* row, __m256i mask, __m256 otherwise) {
  return _mm256_blendv_ps(otherwise, _mm256_maskload_ps(row, mask), _mm256_castsi256_ps(mask));
}

float row_maximum(const float* row, std::int64_t columns) {
  const __m256 lowest = _mm256_set1_ps(-__builtin_inff());
  __m256 largest = lowest;
  for (std::int64_t j = 0; j < columns; j += 8)
    largest = _mm256_max_ps(largest, load(row + j, tail_mask(columns - j), lowest));
  alignas(32) float lanes[8];
  _mm256_store_ps(lanes, largest);
  float result = lanes[0];
  for (const float lane : lanes) result = lane > result ? lane : result;
  return result;
}

float horizontal_sum(__m256 x) {
  alignas(32) float lanes[8];
  _mm256_store_ps(lanes, x);
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

std::uint16_t to_bf16(float value) {  // round to nearest, ties to even; never NaN here
  std::uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

void exponentiate(const ScoreRows& r) {
  const __m256 scale = _mm256_set1_ps(r.scale);
  for (std::int64_t i = 0; i < r.rows; ++i) {
    float* row = r.scores + i * r.stride;
    const __m256 largest = _mm256_set1_ps(row_maximum(row, r.columns));
    __m256 sum = _mm256_setzero_ps();
    for (std::int64_t j = 0; j < r.columns; j += 8) {
      const __m256i mask = tail_mask(r.columns - j);
      const __m256 x = load(row + j, mask, largest);
      const __m256 weight =
          _mm256_and_ps(exponential(_mm256_mul_ps(scale, _mm256_sub_ps(x, largest))), _mm256_castsi256_ps(mask));
      sum = _mm256_add_ps(sum, weight);
      _mm256_maskstore_ps(row + j, mask, weight);
    }
    r.inverse_sums[i] = 1 / horizontal_sum(sum);
  }
}

}  // namespace

void softmax_rows(const ScoreRows& r, const Bf16Rows& out) {
  exponentiate(r);
  for (std::int64_t i = 0; i < r.rows; ++i) {
    const float* row = r.scores + i * r.stride;
    std::uint16_t* weights = out.weights + i * out.stride;
    for (std::int64_t j = 0; j < r.columns; ++j) weights[j] = to_bf16(row[j]);
    if (r.columns % 2 != 0) weights[r.columns] = 0;
  }
}

}  // namespace nunchi::ops::avx2
#endif
