#if defined(__x86_64__)

#include <immintrin.h>

#include "image/resample_kernels.h"

namespace nunchi::image::avx512 {
namespace {

struct Sums {
  __m512i high, low;
};

Sums zero_sums() { return {_mm512_setzero_si512(), _mm512_setzero_si512()}; }

void add(Sums& sums, __m512i samples, std::int32_t high, std::int32_t low) {
  sums.high = _mm512_add_epi32(sums.high, _mm512_madd_epi16(samples, _mm512_set1_epi32(high)));
  sums.low = _mm512_add_epi32(sums.low, _mm512_madd_epi16(samples, _mm512_set1_epi32(low)));
}

// Sixteen results as bytes.
__m128i finish(const Sums& sums, __m512i half, __m128i precision) {
  const __m512i total = _mm512_add_epi32(_mm512_slli_epi32(sums.high, low_weight_bits), sums.low);
  const __m512i value = _mm512_sra_epi32(_mm512_add_epi32(total, half), precision);
  return _mm512_cvtusepi32_epi8(_mm512_max_epi32(value, _mm512_setzero_si512()));
}

__m128i load(const std::uint8_t* bytes) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)); }

__m256i load_wide(const std::uint8_t* bytes) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes)); }

void store_pixel(std::uint8_t* destination, int rgb, bool last) {
  if (!last) {
    __builtin_memcpy(destination, &rgb, 4);  // the fourth byte belongs to the next pixel, which is written later
  } else {
    __builtin_memcpy(destination, &rgb, 3);
  }
}

// Four rows at once, one in each quarter of a register.
void across_four_rows(const std::uint8_t* const rows[4], std::uint8_t* const out[4], const ResamplePass& pass) {
  // Bytes r0 g0 b0 r1 g1 b1 ... to words r0 r1 g0 g1 b0 b1 0 0, and the same of pixels 2 and 3.
  const __m512i first_two =
      _mm512_broadcast_i32x4(_mm_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1));
  const __m512i next_two =
      _mm512_broadcast_i32x4(_mm_setr_epi8(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1));
  const __m512i half = _mm512_set1_epi32(1 << (pass.precision - 1));
  const __m128i precision = _mm_cvtsi32_si128(pass.precision);
  const std::int32_t* weights = pass.packed;
  for (int x = 0; x < pass.outputs; ++x) {
    std::ptrdiff_t at = std::ptrdiff_t{3} * pass.first[x];
    Sums sums = zero_sums();
    for (int group = 0; group < pass.groups; ++group, at += 12, weights += 4) {
      __m512i pixels = _mm512_castsi128_si512(load(rows[0] + at));
      pixels = _mm512_inserti32x4(pixels, load(rows[1] + at), 1);
      pixels = _mm512_inserti32x4(pixels, load(rows[2] + at), 2);
      pixels = _mm512_inserti32x4(pixels, load(rows[3] + at), 3);
      add(sums, _mm512_shuffle_epi8(pixels, first_two), weights[0], weights[2]);
      add(sums, _mm512_shuffle_epi8(pixels, next_two), weights[1], weights[3]);
    }
    const __m128i rgb = finish(sums, half, precision);
    const bool last = x + 1 == pass.outputs;
    const std::ptrdiff_t to = std::ptrdiff_t{3} * x;
    store_pixel(out[0] + to, _mm_extract_epi32(rgb, 0), last);
    store_pixel(out[1] + to, _mm_extract_epi32(rgb, 1), last);
    store_pixel(out[2] + to, _mm_extract_epi32(rgb, 2), last);
    store_pixel(out[3] + to, _mm_extract_epi32(rgb, 3), last);
  }
}

// Thirty-two bytes of one result row.
void down_block(const std::uint8_t* source, std::ptrdiff_t stride, std::uint8_t* destination,
                const std::int32_t* weights, int count, __m512i half, __m128i precision) {
  Sums even = zero_sums();  // bytes 0-7 and 16-23
  Sums odd = zero_sums();   // bytes 8-15 and 24-31
  for (int k = 0; k < count; k += 2, weights += 2) {
    const __m256i upper = load_wide(source + k * stride);
    const __m256i lower = k + 1 < count ? load_wide(source + (k + 1) * stride) : upper;
    add(even, _mm512_cvtepu8_epi16(_mm256_unpacklo_epi8(upper, lower)), weights[0], weights[1]);
    add(odd, _mm512_cvtepu8_epi16(_mm256_unpackhi_epi8(upper, lower)), weights[0], weights[1]);
  }
  const __m128i even_bytes = finish(even, half, precision);
  const __m128i odd_bytes = finish(odd, half, precision);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(destination), _mm_unpacklo_epi64(even_bytes, odd_bytes));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(destination + 16), _mm_unpackhi_epi64(even_bytes, odd_bytes));
}

}  // namespace

void resample_across_rgb(const ResampleBytes& bytes, const ResamplePass& pass) {
  for (int y = 0; y < bytes.rows; y += 4) {
    const std::uint8_t* rows[4];
    std::uint8_t* out[4];
    for (int i = 0; i < 4; ++i) {
      const int row = y + i < bytes.rows ? y + i : bytes.rows - 1;
      rows[i] = bytes.source + row * bytes.source_stride;
      out[i] = bytes.destination + row * bytes.destination_stride;
    }
    across_four_rows(rows, out, pass);
  }
}

void resample_down(const ResampleBytes& bytes, int row_bytes, const ResamplePass& pass) {
  constexpr int block = 32;
  const __m512i half = _mm512_set1_epi32(1 << (pass.precision - 1));
  const __m128i precision = _mm_cvtsi32_si128(pass.precision);
  for (int y = 0; y < pass.outputs; ++y) {
    const std::uint8_t* source = bytes.source + pass.first[y] * bytes.source_stride;
    std::uint8_t* out = bytes.destination + y * bytes.destination_stride;
    const std::int32_t* weights = pass.packed + std::ptrdiff_t{2} * y * pass.groups;
    for (int start = 0; start < row_bytes; start += block) {
      const int at = start + block <= row_bytes ? start : row_bytes - block;  // the last block overlaps its neighbour
      down_block(source + at, bytes.source_stride, out + at, weights, pass.count[y], half, precision);
    }
  }
}

}  // namespace nunchi::image::avx512

#endif
