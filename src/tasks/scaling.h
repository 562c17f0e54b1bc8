// tasks/scaling.h: how work and time of self-attention and of a convolution grow with the number of tokens, and how far
// each sees.
//
//   const Scaling scaling = measure_scaling({.heads = 12, .head_dim = 64});
//   scaling.curves[0].time_slope.upper;   // of log time over log tokens: near 2 where attention itself is the cost
//   scaling.fields[2].convolution;        // 49: three 3x3 convolutions in a row see 7 x 7 places
//
// The first curve is a whole self-attention layer, the second attention alone (between the projections), the third a
// 3x3 convolution of as many channels over as many places.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ops/tensor.h"

namespace nunchi::tasks {

struct ScalingOptions {
  std::int64_t heads = 6, head_dim = 64;  // of ViT-S
  // The tokens lie in squares of these sides: 196 to 3,136 of them, each number about 1.4 times the last one.
  std::vector<std::int64_t> sides = {14, 17, 20, 24, 28, 34, 40, 48, 56};
  int rounds = 7;  // over all sides; each measures everything once
  std::function<void(std::int64_t done, std::int64_t total)> on_progress = [](std::int64_t, std::int64_t) {};
};

struct ScalingPoint {
  std::int64_t tokens = 0, macs = 0;
  double seconds = 0, least_seconds = 0;  // the median of the rounds, and the fastest
};

// Least squares of one logarithm over another: over all points, and over the upper half of the numbers of tokens (on
// a logarithmic scale). Of times the fastest: what a busy machine adds is not the layer's.
struct Slopes {
  double whole = 0, upper = 0;
};

struct ScalingCurve {
  std::string name;
  std::vector<ScalingPoint> points;
  Slopes work_slope, time_slope;
};

// Places of a square of the first side that one place in its middle depends on after so many layers, found by changing
// each input that could matter: a change of the middle is followed through the layers, which is the same by symmetry.
struct ReceptiveField {
  std::int64_t layers = 0, attention = 0, convolution = 0;
};

struct Scaling {
  std::int64_t heads = 0, head_dim = 0;
  std::vector<ScalingCurve> curves;
  std::vector<ReceptiveField> fields;
  bool stopped = false;  // by the user: there are fewer rounds, or none
};

// In fp32 on the threads that LibTorch has. Asserts that there are two sides or more.
Scaling measure_scaling(const ScalingOptions& options = {});

// Asserts that there are as many positive y as x, and two different x.
double log_log_slope(const std::vector<double>& x, const std::vector<double>& y);

}  // namespace nunchi::tasks
