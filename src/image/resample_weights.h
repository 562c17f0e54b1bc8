// image/resample_weights.h: which source pixels make one pixel of the result along one axis, and with what weights.
//
//   AxisWeights across = pillow_weights(Filter::bicubic, {.source = 640, .result = 298, .right = 640}, {37, 224});
//   int sum of across.values[i * across.taps + k] * source[across.first[i] + k] for k < across.count[i]
#pragma once

#include <cstdint>
#include <vector>

#include "image/resize.h"

namespace nunchi::image {

struct Axis {
  int source = 0, result = 0;  // sizes
  float left = 0, right = 0;   // the resized part of the source
};

struct Range {
  int first = 0, count = 0;
};

struct AxisWeights {
  int taps = 0;                            // row length of `values`, the largest count
  int precision = 0;                       // weights are fixed-point numbers with this many bits after the point
  std::vector<std::int32_t> first, count;  // [result]
  std::vector<std::int32_t> values;        // [result, taps], zero from count on

  Range source_range() const;  // of all source pixels that are used
};

// Weights for the result's pixels in `wanted`.
AxisWeights pillow_weights(Filter filter, const Axis& axis, Range wanted);
AxisWeights torch_weights(Filter filter, const Axis& axis, Range wanted);

// The source pixel for each wanted one: Pillow's nearest.
std::vector<std::int32_t> nearest_positions(const Axis& axis, Range wanted);

}  // namespace nunchi::image
