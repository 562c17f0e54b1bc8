#include "nn/position.h"

#include <ATen/ops/_upsample_bicubic2d_aa.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/upsample_bicubic2d.h>
#include <fmt/format.h>

#include <cmath>

namespace nunchi::nn {
namespace {

Tensor resample(const Tensor& map, Grid from, Grid to, const InterpolationOptions& options) {
  const auto scale = [&](std::size_t axis) {
    return options.scale_offset ? std::optional((static_cast<double>(to[axis]) + *options.scale_offset) /
                                                static_cast<double>(from[axis]))
                                : std::nullopt;
  };
  return options.antialias ? at::_upsample_bicubic2d_aa(map, to, options.align_corners, scale(0), scale(1))
                           : at::upsample_bicubic2d(map, to, options.align_corners, scale(0), scale(1));
}

}  // namespace

Tensor interpolate_positions(const Tensor& table, Grid from, Grid to, const InterpolationOptions& options) {
  const auto dim = table.size(2), prefix = options.prefix_tokens;
  if (table.size(1) != prefix + from[0] * from[1]) {
    throw Error(ErrorKind::model, fmt::format("position table: expected {} + {} x {} rows, found {}", prefix, from[0],
                                              from[1], table.size(1)));
  }
  if (from == to && !options.even_to_same_grid) return table;
  const Tensor map = table.slice(1, prefix).view({1, from[0], from[1], dim}).permute({0, 3, 1, 2}).to(at::kFloat);
  const Tensor rows = resample(map, from, to, options).permute({0, 2, 3, 1}).reshape({1, to[0] * to[1], dim});
  return at::cat({table.slice(1, 0, prefix), rows.to(table.scalar_type())}, 1);
}

Tensor sinusoidal_positions(std::int64_t length, std::int64_t dim) {
  const Tensor rates = at::exp(at::arange(0, dim, 2, at::kDouble) * (-std::log(10000.0) / static_cast<double>(dim)));
  const Tensor angles = at::outer(at::arange(length, at::kDouble), rates);  // [length, ceil(dim / 2)]
  Tensor positions = at::empty({length, dim}, at::kFloat);
  positions.slice(1, 0, dim, 2).copy_(at::sin(angles));
  positions.slice(1, 1, dim, 2).copy_(at::cos(angles).slice(1, 0, dim / 2));
  return positions;
}

}  // namespace nunchi::nn
