#include "image/resample_weights.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/assert.h"

namespace nunchi::image {
namespace {

constexpr int pillow_precision = 32 - 8 - 2;  // 8 bits of pixel and 2 of head room in 32

double box_filter(double x) { return x > -0.5 && x <= 0.5 ? 1.0 : 0.0; }

double bilinear_filter(double x) { return std::max(1.0 - std::fabs(x), 0.0); }

double hamming_filter(double x) {
  x = std::fabs(x);
  if (x == 0.0) return 1.0;
  if (x >= 1.0) return 0.0;
  x *= std::numbers::pi;
  return std::sin(x) / x * (0.54 + 0.46 * std::cos(x));
}

double bicubic_filter(double x) {
  constexpr double a = -0.5;  // Keys 1981
  x = std::fabs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

double sinc(double x) {
  if (x == 0.0) return 1.0;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double lanczos_filter(double x) { return x >= -3.0 && x < 3.0 ? sinc(x) * sinc(x / 3) : 0.0; }

struct Kernel {
  double (*weight)(double);
  double support;
};

Kernel kernel_of(Filter filter) {
  switch (filter) {
    case Filter::box:
      return {box_filter, 0.5};
    case Filter::bilinear:
      return {bilinear_filter, 1.0};
    case Filter::hamming:
      return {hamming_filter, 1.0};
    case Filter::bicubic:
      return {bicubic_filter, 2.0};
    case Filter::lanczos:
      return {lanczos_filter, 3.0};
    case Filter::nearest:
      break;
  }
  ASSERT(false, "nearest has positions, not weights");
}

// Real weights of one result pixel, which sum to 1.
struct Tap {
  int first = 0, count = 0;
};

Tap real_weights(const Kernel& kernel, int source, double center, double scale, double* weights) {
  const double filter_scale = std::max(scale, 1.0);
  const double support = kernel.support * filter_scale;
  const double inverse = 1.0 / filter_scale;
  const int first = std::max(static_cast<int>(center - support + 0.5), 0);
  const int count = std::min(static_cast<int>(center + support + 0.5), source) - first;
  double sum = 0.0;
  for (int k = 0; k < count; ++k) {
    weights[k] = kernel.weight((k + first - center + 0.5) * inverse);
    sum += weights[k];
  }
  for (int k = 0; k < count && sum != 0.0; ++k) weights[k] /= sum;
  return {first, count};
}

int most_taps(const Kernel& kernel, double scale) {
  return static_cast<int>(std::ceil(kernel.support * std::max(scale, 1.0))) * 2 + 1;
}

std::int32_t to_fixed(double weight, int precision) {
  const double scaled = weight * (1 << precision);
  return static_cast<std::int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
}

// Real weights of a range of result pixels, kept until the precision is known.
struct RealWeights {
  int taps = 0;
  std::vector<std::int32_t> first, count;
  std::vector<double> values;
};

RealWeights real_weights(const Kernel& kernel, int source, double left, double scale, Range wanted) {
  const int taps = most_taps(kernel, scale);
  const auto size = static_cast<std::size_t>(wanted.count);
  RealWeights real{taps, {}, {}, std::vector<double>(size * static_cast<std::size_t>(taps))};
  for (int i = 0; i < wanted.count; ++i) {
    const double center = left + (wanted.first + i + 0.5) * scale;
    const Tap tap =
        real_weights(kernel, source, center, scale, real.values.data() + static_cast<std::ptrdiff_t>(i) * taps);
    real.first.push_back(tap.first);
    real.count.push_back(tap.count);
  }
  return real;
}

AxisWeights to_fixed(const RealWeights& real, int precision, Range wanted) {
  AxisWeights fixed{.precision = precision};
  fixed.first.assign(real.first.begin() + wanted.first, real.first.begin() + wanted.first + wanted.count);
  fixed.count.assign(real.count.begin() + wanted.first, real.count.begin() + wanted.first + wanted.count);
  fixed.taps = *std::max_element(fixed.count.begin(), fixed.count.end());
  fixed.values.resize(static_cast<std::size_t>(wanted.count) * static_cast<std::size_t>(fixed.taps));
  for (int i = 0; i < wanted.count; ++i) {
    const double* in = real.values.data() + static_cast<std::ptrdiff_t>(wanted.first + i) * real.taps;
    std::int32_t* out = fixed.values.data() + static_cast<std::ptrdiff_t>(i) * fixed.taps;
    for (int k = 0; k < fixed.count[static_cast<std::size_t>(i)]; ++k) out[k] = to_fixed(in[k], precision);
  }
  return fixed;
}

}  // namespace

Range AxisWeights::source_range() const {
  Range range{first.front(), 0};
  for (std::size_t i = 0; i < first.size(); ++i) {
    range.count = std::max(range.count, first[i] + count[i] - range.first);
  }
  return range;
}

AxisWeights pillow_weights(Filter filter, const Axis& axis, Range wanted) {
  const double scale = static_cast<double>(axis.right - axis.left) / axis.result;
  const RealWeights real = real_weights(kernel_of(filter), axis.source, axis.left, scale, wanted);
  return to_fixed(real, pillow_precision, {0, wanted.count});
}

// ATen takes as many bits as keep the largest weight of the whole axis inside 16 bits.
AxisWeights torch_weights(Filter filter, const Axis& axis, Range wanted) {
  const double scale = static_cast<double>(axis.source) / axis.result;
  const RealWeights real = real_weights(kernel_of(filter), axis.source, 0.0, scale, {0, axis.result});
  const double largest = *std::max_element(real.values.begin(), real.values.end());
  int precision = 0;
  while (precision < 22 && static_cast<int>(0.5 + largest * (1 << (precision + 1))) < (1 << 15)) ++precision;
  return to_fixed(real, precision, wanted);
}

// Positions are summed up in steps, as Pillow does, so that the rounding errors are the same.
std::vector<std::int32_t> nearest_positions(const Axis& axis, Range wanted) {
  const double step = static_cast<double>(axis.right - axis.left) / axis.result;
  std::vector<std::int32_t> positions;
  double position = axis.left + step * 0.5;
  for (int i = 0; i < wanted.first + wanted.count; ++i, position += step) {
    if (i >= wanted.first) positions.push_back(std::clamp(static_cast<int>(position), 0, axis.source - 1));
  }
  return positions;
}

}  // namespace nunchi::image
