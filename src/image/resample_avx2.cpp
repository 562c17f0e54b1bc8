#if defined(__x86_64__)

#include <immintrin.h>

#include "image/resample_kernels.h"

namespace nunchi::image::avx2 {
namespace {

struct Sums {
  __m256i high, low;
};

Sums zero_sums() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }

void add(Sums& sums, __m256i samples, std::int32_t high, std::int32_t low) {
  sums.high = _mm256_add_epi32(sums.high, _mm256_madd_epi16(samples, _mm256_set1_epi32(high)));
  sums.low = _mm256_add_epi32(sums.low, _mm256_madd_epi16(samples, _mm256_set1_epi32(low)));
}

__m256i finish(const Sums& sums, __m256i half, __m128i precision) {
  const __m256i total = _mm256_add_epi32(_mm256_slli_epi32(sums.high, low_weight_bits), sums.low);
  return _mm256_sra_epi32(_mm256_add_epi32(total, half), precision);
}

__m128i load(const std::uint8_t* bytes) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)); }

void store_pixel(std::uint8_t* destination, int rgb, bool last) {
  if (!last) {
    __builtin_memcpy(destination, &rgb, 4);  // the fourth byte belongs to the next pixel, which is written later
  } else {
    __builtin_memcpy(destination, &rgb, 3);
  }
}

// Two rows at once, one in each half of a register.
void across_two_rows(const std::uint8_t* upper, const std::uint8_t* lower, std::uint8_t* upper_out,
                     std::uint8_t* lower_out, const ResamplePass& pass) {
  // Bytes r0 g0 b0 r1 g1 b1 ... to words r0 r1 g0 g1 b0 b1 0 0, and the same of pixels 2 and 3.
  const __m256i first_two =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1));
  const __m256i next_two =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1));
  const __m256i half = _mm256_set1_epi32(1 << (pass.precision - 1));
  const __m128i precision = _mm_cvtsi32_si128(pass.precision);
  const std::int32_t* weights = pass.packed;
  for (int x = 0; x < pass.outputs; ++x, upper_out += 3, lower_out += 3) {
    std::ptrdiff_t at = std::ptrdiff_t{3} * pass.first[x];
    Sums sums = zero_sums();
    for (int group = 0; group < pass.groups; ++group, at += 12, weights += 4) {
      const __m256i pixels = _mm256_inserti128_si256(_mm256_castsi128_si256(load(upper + at)), load(lower + at), 1);
      add(sums, _mm256_shuffle_epi8(pixels, first_two), weights[0], weights[2]);
      add(sums, _mm256_shuffle_epi8(pixels, next_two), weights[1], weights[3]);
    }
    const __m256i words = _mm256_packs_epi32(finish(sums, half, precision), half);
    const __m256i rgb = _mm256_packus_epi16(words, words);
    const bool last = x + 1 == pass.outputs;
    store_pixel(upper_out, _mm256_extract_epi32(rgb, 0), last);
    store_pixel(lower_out, _mm256_extract_epi32(rgb, 4), last);
  }
}

// Sixteen bytes of one result row.
void down_block(const std::uint8_t* source, std::ptrdiff_t stride, std::uint8_t* destination,
                const std::int32_t* weights, int count, __m256i half, __m128i precision) {
  Sums left = zero_sums();
  Sums right = zero_sums();
  for (int k = 0; k < count; k += 2, weights += 2) {
    const __m128i upper = load(source + k * stride);
    const __m128i lower = k + 1 < count ? load(source + (k + 1) * stride) : upper;
    add(left, _mm256_cvtepu8_epi16(_mm_unpacklo_epi8(upper, lower)), weights[0], weights[1]);
    add(right, _mm256_cvtepu8_epi16(_mm_unpackhi_epi8(upper, lower)), weights[0], weights[1]);
  }
  const __m256i words =
      _mm256_permute4x64_epi64(_mm256_packs_epi32(finish(left, half, precision), finish(right, half, precision)), 0xd8);
  const __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(destination), bytes);
}

}  // namespace

void resample_across_rgb(const ResampleBytes& bytes, const ResamplePass& pass) {
  for (int y = 0; y < bytes.rows; y += 2) {
    const int next = y + 1 < bytes.rows ? y + 1 : y;
    across_two_rows(bytes.source + y * bytes.source_stride, bytes.source + next * bytes.source_stride,
                    bytes.destination + y * bytes.destination_stride,
                    bytes.destination + next * bytes.destination_stride, pass);
  }
}

void resample_down(const ResampleBytes& bytes, int row_bytes, const ResamplePass& pass) {
  constexpr int block = 16;
  const __m256i half = _mm256_set1_epi32(1 << (pass.precision - 1));
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

}  // namespace nunchi::image::avx2

#endif
