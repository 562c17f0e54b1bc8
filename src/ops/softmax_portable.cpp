#include <algorithm>
#include <bit>
#include <cmath>

#include "ops/softmax_kernels.h"

namespace nunchi::ops::portable {
namespace {

std::uint16_t to_bf16(float value) {  // round to nearest, ties to even; never NaN here
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

void exponentiate(const ScoreRows& r) {
  for (std::int64_t i = 0; i < r.rows; ++i) {
    float* row = r.scores + i * r.stride;
    const float largest = *std::max_element(row, row + r.columns);
    float sum = 0;
    for (std::int64_t j = 0; j < r.columns; ++j) sum += row[j] = std::exp(r.scale * (row[j] - largest));
    r.inverse_sums[i] = 1 / sum;
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

}  // namespace nunchi::ops::portable
