#include "image/resample_kernels.h"

namespace nunchi::image::portable {
namespace {

std::uint8_t narrow(std::int32_t sum, int precision) {
  const std::int32_t value = sum >> precision;
  return static_cast<std::uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value);
}

template <int channels>
void across(const std::uint8_t* source, std::uint8_t* destination, const ResamplePass& pass) {
  for (int x = 0; x < pass.outputs; ++x) {
    std::int32_t sums[channels];
    for (std::int32_t& sum : sums) sum = 1 << (pass.precision - 1);
    const std::int32_t* weights = pass.values + static_cast<std::ptrdiff_t>(x) * pass.taps;
    const std::uint8_t* in = source + static_cast<std::ptrdiff_t>(pass.first[x]) * channels;
    for (int k = 0; k < pass.count[x]; ++k, in += channels) {
      for (int c = 0; c < channels; ++c) sums[c] += in[c] * weights[k];
    }
    for (const std::int32_t sum : sums) *destination++ = narrow(sum, pass.precision);
  }
}

}  // namespace

void resample_across(const ResampleBytes& bytes, int channels, const ResamplePass& pass) {
  for (int y = 0; y < bytes.rows; ++y) {
    const std::uint8_t* source = bytes.source + y * bytes.source_stride;
    std::uint8_t* destination = bytes.destination + y * bytes.destination_stride;
    if (channels == 3) {
      across<3>(source, destination, pass);
    } else {
      across<1>(source, destination, pass);
    }
  }
}

void resample_down(const ResampleBytes& bytes, int row_bytes, const ResamplePass& pass) {
  constexpr int block = 64;  // sums of one block stay in registers
  for (int y = 0; y < pass.outputs; ++y) {
    const std::int32_t* weights = pass.values + static_cast<std::ptrdiff_t>(y) * pass.taps;
    const std::uint8_t* first = bytes.source + pass.first[y] * bytes.source_stride;
    std::uint8_t* out = bytes.destination + y * bytes.destination_stride;
    for (int start = 0; start < row_bytes; start += block) {
      const int size = row_bytes - start < block ? row_bytes - start : block;
      std::int32_t sums[block];
      for (std::int32_t& sum : sums) sum = 1 << (pass.precision - 1);
      for (int k = 0; k < pass.count[y]; ++k) {
        const std::uint8_t* in = first + k * bytes.source_stride + start;
        for (int i = 0; i < size; ++i) sums[i] += in[i] * weights[k];
      }
      for (int i = 0; i < size; ++i) out[start + i] = narrow(sums[i], pass.precision);
    }
  }
}

}  // namespace nunchi::image::portable
