// image/resample_kernels.h: the two passes of a resize, once per instruction set, all giving the same bytes.
//
// A weight is an integer w; the SIMD kernels split it exactly into high * 2048 + low, so that two taps fit one 16-bit
// multiply-add. Raw pointers only: see STYLE.md, rule 7.
//
//   avx2::resample_down({source, stride, destination, stride, height}, width * 3, pass);
#pragma once

#include <cstddef>
#include <cstdint>

namespace nunchi::image {

constexpr int low_weight_bits = 11;

struct ResamplePass {
  int outputs = 0;  // pixels (across) or rows (down) to make
  int taps = 0;
  int precision = 0;
  const std::int32_t* first = nullptr;   // [outputs]
  const std::int32_t* count = nullptr;   // [outputs]
  const std::int32_t* values = nullptr;  // [outputs, taps]

  // For SIMD: weights in pairs of taps, two int16 in an int32, zero behind the last tap. Across: [outputs, groups,
  // {high 01, high 23, low 01, low 23}], groups of four taps. Down: [outputs, groups, {high, low}], groups of two taps.
  int groups = 0;
  const std::int32_t* packed = nullptr;
};

struct ResampleBytes {
  const std::uint8_t* source = nullptr;
  std::ptrdiff_t source_stride = 0;
  std::uint8_t* destination = nullptr;
  std::ptrdiff_t destination_stride = 0;
  int rows = 0;  // across: of source and destination. Down: of the source
};

namespace portable {
void resample_across(const ResampleBytes& bytes, int channels, const ResamplePass& pass);
void resample_down(const ResampleBytes& bytes, int row_bytes, const ResamplePass& pass);
}  // namespace portable

// Across: three channels; of a row, the bytes up to 3 * first + 12 * groups + 4 are read, which may lie behind its end.
namespace avx2 {
void resample_across_rgb(const ResampleBytes& bytes, const ResamplePass& pass);
void resample_down(const ResampleBytes& bytes, int row_bytes, const ResamplePass& pass);  // row_bytes >= 16
}  // namespace avx2

namespace avx512 {
void resample_across_rgb(const ResampleBytes& bytes, const ResamplePass& pass);
void resample_down(const ResampleBytes& bytes, int row_bytes, const ResamplePass& pass);  // row_bytes >= 32
}  // namespace avx512

}  // namespace nunchi::image
