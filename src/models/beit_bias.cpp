#include "models/beit_bias.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "nn/initialise.h"
#include "nn/relative_position.h"

namespace nunchi::models {
namespace {

constexpr std::int64_t class_rows = 3;

nn::Grid ways_of(nn::Grid grid) { return {2 * grid[0] - 1, 2 * grid[1] - 1}; }

// Rows of the table for all pairs of tokens, the class token in front: [(1 + n)^2].
Tensor index_with_class(nn::Grid grid) {
  const auto n = grid[0] * grid[1];
  const auto [rows, columns] = ways_of(grid);
  Tensor index = at::empty({1 + n, 1 + n}, at::kLong);
  index.slice(0, 1).slice(1, 1).copy_(nn::relative_position_index(grid));
  index.select(0, 0).fill_(rows * columns);
  index.select(1, 0).fill_(rows * columns + 1);
  index.select(0, 0).select(0, 0).fill_(rows * columns + 2);
  return index.flatten();
}

// The lengths that the trained ways 0, 1, ... get in a window whose longest way is `longest`: their differences are a
// geometric progression, found by bisection as precisely as the peers find it.
std::vector<double> spread_lengths(std::int64_t trained_longest, std::int64_t longest) {
  double low = 1.01, high = 1.5, ratio = low;
  while (high - low > 1e-6) {
    ratio = (low + high) / 2;
    const double sum = (1 - std::pow(ratio, trained_longest)) / (1 - ratio);
    (sum > static_cast<double>(longest) ? high : low) = ratio;
  }
  std::vector<double> lengths = {0};
  for (std::int64_t i = 0; i < trained_longest; ++i)
    lengths.push_back(lengths.back() + std::pow(ratio, static_cast<double>(i)));
  return lengths;
}

// [ways, trained ways]: linear interpolation between the two trained ways next in length; ways longer than all of them
// take the longest.
Tensor spread_weights(std::int64_t trained_ways, std::int64_t ways) {
  const auto trained_longest = trained_ways / 2, longest = ways / 2;
  const auto lengths = spread_lengths(trained_longest, longest);
  Tensor weights = at::zeros({ways, trained_ways}, at::kFloat);
  const auto add = [&](std::int64_t way, std::int64_t trained, double weight) {
    for (const int sign : {-1, 1}) weights[longest + sign * way][trained_longest + sign * trained].fill_(weight);
  };
  for (std::int64_t way = 0; way <= longest; ++way) {
    const auto above = std::lower_bound(lengths.begin(), lengths.end(), static_cast<double>(way));
    const auto right = std::min<std::int64_t>(above - lengths.begin(), trained_longest);
    const auto after = lengths[static_cast<std::size_t>(right)];
    const auto before = right > 0 ? lengths[static_cast<std::size_t>(right - 1)] : after;
    const double share = after > before ? std::min((static_cast<double>(way) - before) / (after - before), 1.0) : 1;
    if (share < 1) add(way, right - 1, 1 - share);
    add(way, right, share);
  }
  return weights;
}

// map [1, heads, rows, columns] -> [1, heads, new rows, new columns].
Tensor spread(const Tensor& map, nn::Grid ways) {
  const Tensor down = spread_weights(map.size(2), ways[0]), across = spread_weights(map.size(3), ways[1]);
  return at::matmul(at::matmul(down.to(map.device()), map), across.to(map.device()).t());
}

}  // namespace

RelativeBias::RelativeBias(nn::Grid trained, std::int64_t heads, Resampling resampling)
    : trained_(trained), heads_(heads), resampling_(resampling) {
  const auto [rows, columns] = ways_of(trained);
  parameter("relative_position_bias_table", table_, {rows * columns + class_rows, heads});
}

Tensor RelativeBias::forward(nn::Grid grid) const {
  return frozen_ ? gathered_.of(grid, [&] { return gather(grid); }) : gather(grid);
}

Tensor RelativeBias::gather(nn::Grid grid) const {
  const auto n = 1 + grid[0] * grid[1];
  if (table_.is_meta()) return at::empty({1, heads_, n, n}, table_.options());
  const Tensor rows = table_for(grid).index_select(0, index_with_class(grid).to(table_.device()));
  return rows.view({1, n, n, heads_}).permute({0, 3, 1, 2}).contiguous();
}

Tensor RelativeBias::table_for(nn::Grid grid) const {
  const bool exchanged = resampling_ == Resampling::bilinear && trained_[0] != trained_[1];
  if (grid == trained_ && !exchanged) return table_;
  const auto [rows, columns] = ways_of(trained_);
  const Tensor ways = table_.slice(0, 0, rows * columns).to(at::kFloat);
  const Tensor map =
      (exchanged ? ways.view({1, columns, rows, heads_}) : ways.view({1, rows, columns, heads_})).permute({0, 3, 1, 2});
  const Tensor resized = resampling_ == Resampling::bilinear
                             ? at::upsample_bilinear2d(map, ways_of(grid), /*align_corners=*/false)
                             : spread(map, ways_of(grid));
  const Tensor new_ways = resized.permute({0, 2, 3, 1}).reshape({-1, heads_});
  return at::cat({new_ways.to(table_.scalar_type()), table_.slice(0, rows * columns)}, 0);
}

void RelativeBias::freeze(const nn::FreezeOptions& options) {
  Module::freeze(options);
  gathered_.forget();
  frozen_ = true;
}

void RelativeBias::thaw() {
  Module::thaw();
  gathered_.forget();
  frozen_ = false;
}

void RelativeBias::initialise(const at::Generator&) { table_ = nn::constant(slot_of(table_).shape, 0); }

}  // namespace nunchi::models
