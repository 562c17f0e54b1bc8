#include "image/resize_reals.h"

#include <algorithm>
#include <cmath>

#include "core/assert.h"
#include "core/error.h"

namespace nunchi::image {
namespace {

// What one result reads: `weights` times the numbers from `first` on.
struct Taps {
  int first = 0;
  std::vector<float> weights;
};

float bilinear_weight(float x) {
  x = std::fabs(x);
  return x < 1 ? 1 - x : 0;
}

float bicubic_weight(float x) {
  constexpr float a = -0.5f;  // Keys 1981
  x = std::fabs(x);
  if (x < 1) return std::fma(std::fma(a + 2, x, -(a + 3)) * x, x, 1.0f);
  return x < 2 ? std::fma(std::fma(std::fma(a, x, -5 * a), x, 8 * a), x, -4 * a) : 0;
}

// In single precision throughout, as LibTorch computes them.
Taps taps_of(Filter filter, int source, float scale, int result) {
  const float widened = std::max(scale, 1.0f);
  const float support = (filter == Filter::bicubic ? 2.0f : 1.0f) * widened, inverse = 1.0f / widened;
  const float center = scale * (static_cast<float>(result) + 0.5f);
  Taps taps{.first = std::max(static_cast<int>(center - support + 0.5f), 0), .weights = {}};
  const int end = std::min(static_cast<int>(center + support + 0.5f), source);
  float sum = 0;
  for (int i = taps.first; i < end; ++i) {
    const float x = (static_cast<float>(i) - center + 0.5f) * inverse;
    taps.weights.push_back(filter == Filter::bicubic ? bicubic_weight(x) : bilinear_weight(x));
    sum += taps.weights.back();
  }
  for (float& weight : taps.weights) weight /= sum;
  return taps;
}

std::vector<Taps> all_taps(Filter filter, int source, int results) {
  const float scale = static_cast<float>(source) / static_cast<float>(results);
  std::vector<Taps> all;
  for (int i = 0; i < results; ++i) all.push_back(taps_of(filter, source, scale, i));
  return all;
}

// LibTorch's compiled loop rounds the products of four taps before it adds them one by one, and fuses what is left.
float weighted_sum(const float* in, std::ptrdiff_t stride, const std::vector<float>& weights) {
  float sum = *in * weights.front();
  std::size_t k = 1;
  const auto next = [&] { return *(in += stride); };
  for (; k + 4 <= weights.size(); k += 4) {
    for (std::size_t tap = k; tap < k + 4; ++tap) {
      const float product = next() * weights[tap];
      sum += product;
    }
  }
  for (; k < weights.size(); ++k) sum = std::fma(next(), weights[k], sum);
  return sum;
}

Plane resize_across(const Plane& plane, int width, Filter filter) {
  Plane result{.width = width, .height = plane.height, .values = {}};
  result.values.reserve(static_cast<std::size_t>(width) * static_cast<std::size_t>(plane.height));
  const auto taps = all_taps(filter, plane.width, width);
  for (int y = 0; y < plane.height; ++y) {
    const float* row = plane.values.data() + static_cast<std::ptrdiff_t>(y) * plane.width;
    for (const auto& [first, weights] : taps) result.values.push_back(weighted_sum(row + first, 1, weights));
  }
  return result;
}

Plane resize_down(const Plane& plane, int height, Filter filter) {
  Plane result{.width = plane.width, .height = height, .values = {}};
  result.values.reserve(static_cast<std::size_t>(plane.width) * static_cast<std::size_t>(height));
  for (const auto& [first, weights] : all_taps(filter, plane.height, height)) {
    const float* row = plane.values.data() + static_cast<std::ptrdiff_t>(first) * plane.width;
    for (int x = 0; x < plane.width; ++x) result.values.push_back(weighted_sum(row + x, plane.width, weights));
  }
  return result;
}

}  // namespace

Plane resize_reals(const Plane& plane, int width, int height, Filter filter) {
  ASSERT(plane.width > 0 && plane.height > 0 && width > 0 && height > 0, "a plane has numbers");
  if (filter != Filter::bilinear && filter != Filter::bicubic)
    throw Error(ErrorKind::usage, "real numbers are resized with bilinear or bicubic only");
  if (width == plane.width && height == plane.height) return plane;
  return resize_down(resize_across(plane, width, filter), height, filter);
}

}  // namespace nunchi::image
