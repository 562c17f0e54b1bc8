#include "ops/pool.h"

#include <ATen/Parallel.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/mean.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "ops/code_scale.h"
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

void keep_larger(std::uint8_t* __restrict codes, const std::uint8_t* __restrict others, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) codes[i] = std::max(codes[i], others[i]);
}

// The largest code is the largest number's. Down the rows first, then along what is left.
Tensor largest_codes(const Tensor& given, const PoolOptions& o) {
  const Tensor x = given.contiguous(at::MemoryFormat::ChannelsLast);
  const auto channels = x.size(1), height = x.size(2), width = x.size(3), length = width * channels;
  const auto rows = (height + 2 * o.padding - o.kernel) / o.stride + 1;
  const auto columns = (width + 2 * o.padding - o.kernel) / o.stride + 1;
  Tensor y = empty_codes({x.size(0), channels, rows, columns}, *scale_of(given));
  const auto* from = x.const_data_ptr<std::uint8_t>();
  auto* to = y.mutable_data_ptr<std::uint8_t>();
  at::parallel_for(0, x.size(0) * rows, 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::uint8_t> line(static_cast<std::size_t>(length));
    for (auto row = begin; row < end; ++row, std::ranges::fill(line, std::uint8_t{0})) {
      const auto top = row % rows * o.stride - o.padding;
      for (auto i = std::max<std::int64_t>(top, 0); i < std::min(top + o.kernel, height); ++i)
        keep_larger(line.data(), from + (row / rows * height + i) * length, length);
      for (std::int64_t column = 0; column < columns; ++column) {
        auto* pixel = to + (row * columns + column) * channels;
        std::fill_n(pixel, channels, std::uint8_t{0});
        const auto left = column * o.stride - o.padding;
        for (auto j = std::max<std::int64_t>(left, 0); j < std::min(left + o.kernel, width); ++j)
          keep_larger(pixel, line.data() + j * channels, channels);
      }
    }
  });
  return y;
}

}  // namespace

Tensor max_pool2d(const Tensor& x, const PoolOptions& o) {
  const OpScope scope("max_pool2d", {&x});
  if (scale_of(x) && !o.partial_windows) return scope.result(largest_codes(x, o));
  return scope.result(at::max_pool2d(in_numbers(x), {o.kernel, o.kernel}, {o.stride, o.stride}, {o.padding, o.padding},
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
