#include "nn/rotary.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/stack.h>

#include <numbers>

namespace nunchi::nn {
namespace {

// Where the rows (axis 0) or the columns of a grid lie.
Tensor axis_coordinates(Grid grid, std::size_t axis, const RotaryConfig& config) {
  const auto length = static_cast<double>(grid[axis]);
  const Tensor counted = at::arange(grid[axis], at::kDouble) + config.offset;
  if (config.coordinates == RotaryCoordinates::centred)
    return ((counted + 0.5) / length * 2 - 1) * (2 * std::numbers::pi);
  return config.reference ? counted * (static_cast<double>((*config.reference)[axis]) / length) : counted;
}

// [n, 2]: row and column of each patch, or column and row.
Tensor coordinates(Grid grid, const RotaryConfig& config) {
  const Tensor rows = axis_coordinates(grid, 0, config).repeat_interleave(grid[1]);
  const Tensor columns = axis_coordinates(grid, 1, config).repeat({grid[0]});
  return config.columns_first ? at::stack({columns, rows}, 1) : at::stack({rows, columns}, 1);
}

// angles [..., head_dim / 2], one for each pair.
ops::RotaryTable table_of(const Tensor& angles, const RotaryConfig& config) {
  const bool halves = config.pairs == ops::RotaryPairs::halves;
  const Tensor both = halves ? at::cat({angles, angles}, -1) : angles.repeat_interleave(2, -1);
  return {.cos = at::cos(both).to(at::kFloat),
          .sin = at::sin(both).to(at::kFloat),
          .prefix_tokens = config.prefix_tokens,
          .pairs = config.pairs};
}

}  // namespace

ops::RotaryTable rotary_table(Grid grid, const RotaryConfig& config) {
  const auto bands = config.head_dim / 4;
  const Tensor exponents = at::arange(bands, at::kDouble) / static_cast<double>(bands);
  const Tensor rates = at::pow(config.temperature, -exponents);
  return table_of((coordinates(grid, config).unsqueeze(2) * rates).flatten(1), config);  // [n, head_dim / 2]
}

ops::RotaryTable rotary_table(Grid grid, const RotaryConfig& config, const Tensor& frequencies) {
  const Tensor at = coordinates(grid, config).to(frequencies.options().dtype(at::kFloat));
  const Tensor wide = frequencies.to(at::kFloat);
  const auto turned_by = [&](std::int64_t axis) {  // [n, heads, head_dim / 2]
    return at.select(1, axis).view({-1, 1, 1}) * wide.select(0, axis).unsqueeze(0);
  };
  return table_of(turned_by(0) + turned_by(1), config);
}

}  // namespace nunchi::nn
