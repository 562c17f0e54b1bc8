// ops/pool.h: pooling of feature maps.
//
//   Tensor half = ops::max_pool2d(x, {.kernel = 3, .stride = 2, .padding = 1});   // [b, c, h / 2, w / 2]
//   Tensor features = ops::global_pool(map, ops::GlobalPool::average);            // [b, c]
#pragma once

#include "ops/tensor.h"

namespace nunchi::ops {

struct PoolOptions {
  std::int64_t kernel = 2, stride = 2, padding = 0;
  bool partial_windows = false;  // windows that stand out at the bottom and the right count, too
};

// x [b, c, h, w], numbers or codes -> [b, c, h', w'], the largest of each window.
Tensor max_pool2d(const Tensor& x, const PoolOptions& options);

// The mean of what each window holds of the map.
Tensor average_pool2d(const Tensor& x, const PoolOptions& options);

// Zhang 2019: x [b, c, h, w] blurred by the binomial filter 1 2 1 along both axes, the edges mirrored, and every second
// pixel taken. Throws Error (input) for maps of one row or column.
Tensor blur_pool2d(const Tensor& x);

// timm's global_pool: mean, largest, half the sum of both, both behind each other.
enum class GlobalPool { average, max, average_and_max, both };

Tensor global_pool(const Tensor& map, GlobalPool pool);  // [b, c, h, w] -> [b, c], of `both` [b, 2 c]

}  // namespace nunchi::ops
