#include "ops/conv_extent.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace nunchi::ops {

PaddedSides same_padding(std::int64_t size, const SamePadding& p) {
  const auto left_over = size % p.stride;
  const auto total = std::max<std::int64_t>(p.kernel - (left_over == 0 ? p.stride : left_over), 0);
  return {total / 2 * p.dilation, (total - total / 2) * p.dilation};
}

bool is_pixelwise(const Tensor& kernel, const ConvOptions& o) {
  using Pair = std::array<std::int64_t, 2>;
  return kernel.size(2) == 1 && kernel.size(3) == 1 && o.stride == Pair{1, 1} && o.padding == Pair{0, 0};
}

ConvExtent conv_extent(const Tensor& x, const Tensor& kernel, const ConvOptions& o) {
  ConvExtent extent{};
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const auto dimension = static_cast<std::int64_t>(axis) + 2, size = x.size(dimension),
               length = kernel.size(dimension);
    const SamePadding same{.kernel = length, .stride = o.stride[axis], .dilation = o.dilation[axis]};
    const auto [before, after] = o.same ? same_padding(size, same) : PaddedSides{o.padding[axis], o.padding[axis]};
    const auto room = size + before + after - o.dilation[axis] * (length - 1) - 1;
    if (room < 0) {
      throw Error(
          ErrorKind::input,
          fmt::format("this network's kernel {} does not fit a map {} with padding {}: the picture is too small",
                      to_string(kernel.sizes()), to_string(x.sizes()), before));
    }
    extent.before[axis] = before;
    extent.after[axis] = after;
    extent.size[axis] = room / o.stride[axis] + 1;
  }
  return extent;
}

}  // namespace nunchi::ops
