#include "ops/pool.h"

#include <ATen/ops/amax.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/mean.h>
#include <fmt/format.h>

#include "core/error.h"
#include "ops/op_scope.h"

namespace nunchi::ops {
namespace {

// Each row (axis 2) or column (axis 3) with a quarter of its neighbours and half of itself, every second one; behind
// the edges lies what lies before them.
Tensor blur_axis(const Tensor& x, int axis) {
  const auto size = x.size(axis);
  const Tensor mirrored = at::cat({x.narrow(axis, 1, 1), x, x.narrow(axis, size - 2, 1)}, axis);
  const auto every_second = [&](std::int64_t from) { return mirrored.slice(axis, from, from + size, 2); };
  return 0.25 * every_second(0) + 0.5 * every_second(1) + 0.25 * every_second(2);
}

}  // namespace

Tensor max_pool2d(const Tensor& x, const PoolOptions& o) {
  const OpScope scope("max_pool2d", {&x});
  return scope.result(at::max_pool2d(x, {o.kernel, o.kernel}, {o.stride, o.stride}, {o.padding, o.padding},
                                     /*dilation=*/{1, 1}, o.partial_windows));
}

Tensor average_pool2d(const Tensor& x, const PoolOptions& o) {
  const OpScope scope("average_pool2d", {&x});
  return scope.result(at::avg_pool2d(x, {o.kernel, o.kernel}, {o.stride, o.stride}, {o.padding, o.padding},
                                     o.partial_windows, /*count_include_pad=*/false));
}

Tensor blur_pool2d(const Tensor& x) {
  if (x.size(2) < 2 || x.size(3) < 2) {
    throw Error(ErrorKind::input,
                fmt::format("this network blurs its feature maps, which must have 2 rows and columns at least; "
                            "found {}: the picture is too small",
                            to_string(x.sizes())));
  }
  const OpScope scope("blur_pool2d", {&x});
  return scope.result(blur_axis(blur_axis(x, 2), 3));
}

Tensor global_pool(const Tensor& map, GlobalPool pool) {
  const OpScope scope("global_pool", {&map});
  const auto average = [&] { return map.mean({2, 3}); };
  const auto largest = [&] { return at::amax(map, {2, 3}); };
  switch (pool) {
    case GlobalPool::average:
      return scope.result(average());
    case GlobalPool::max:
      return scope.result(largest());
    case GlobalPool::average_and_max:
      return scope.result(0.5 * (average() + largest()));
    case GlobalPool::both:
      return scope.result(at::cat({average(), largest()}, 1));
  }
  ASSERT(false, "every pooling has its case");
}

}  // namespace nunchi::ops
