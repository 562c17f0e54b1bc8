#include "explain/similarity.h"

#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>

#include "ops/numbers.h"
#include "tasks/embed.h"

namespace nunchi::explain {
namespace {

constexpr std::int64_t piece = 1 << 20;  // numbers at a time

// The centred matrix of inner products between examples, of length one; zeros where nothing varies.
Tensor unit_gram(const Tensor& features) {
  ASSERT(features.dim() == 2 && features.size(0) >= 2, "alignment is over two examples or more");
  const Tensor values = features.to(at::kDouble);
  const Tensor centred = values - values.mean(0);
  const Tensor gram = at::matmul(centred, centred.t()).flatten();
  const double length = at::linalg_vector_norm(gram).item<double>();
  const double noise = 1e-14 * values.square().sum().item<double>();
  return length > noise ? gram / length : at::zeros_like(gram);
}

// Calls `use` with [n] double pieces of the tensor.
template <class Use>
void in_pieces(const Tensor& values, const Use& use) {
  const Tensor flat = values.reshape({-1});
  for (std::int64_t begin = 0; begin < flat.numel(); begin += piece)
    use(flat.slice(0, begin, begin + piece).to(at::kDouble).contiguous());
}

void find_ends(const Tensor& values, const HistogramOptions& options, Histogram& into) {
  double least = std::numeric_limits<double>::infinity(), greatest = -least;
  in_pieces(values, [&](const Tensor& part) {
    const Tensor finite = part.masked_select(at::isfinite(part));
    if (finite.numel() == 0) return;
    least = std::min(least, finite.min().item<double>());
    greatest = std::max(greatest, finite.max().item<double>());
  });
  into.least = options.least.value_or(std::isfinite(least) ? least : 0);
  into.greatest = options.greatest.value_or(std::isfinite(greatest) ? greatest : 0);
}

}  // namespace

Tensor linear_cka(const std::vector<Tensor>& one, const std::vector<Tensor>& other) {
  std::vector<Tensor> first, second;
  for (const Tensor& features : one) first.push_back(unit_gram(features));
  for (const Tensor& features : other) second.push_back(unit_gram(features));
  ASSERT(!first.empty() && !second.empty() && first.front().numel() == second.front().numel(),
         "alignment is between layers that saw the same examples");
  return at::matmul(at::stack(first), at::stack(second).t()).clamp(0, 1);
}

Tensor cell_examples(const Tensor& map, nn::Grid cells) {
  const Tensor means = at::adaptive_avg_pool2d(map.to(at::kFloat), cells);  // [b, c, rows, columns]
  return means.permute({0, 2, 3, 1}).flatten(0, 2).contiguous();
}

Tensor position_cosines(const Tensor& table, nn::Grid grid) {
  ASSERT(table.dim() == 2 && table.size(0) == grid[0] * grid[1], "there is a position for each patch");
  return tasks::cosine_matrix(table.to(at::kFloat)).view({table.size(0), grid[0], grid[1]});
}

Histogram histogram(const Tensor& values, const HistogramOptions& options) {
  ASSERT(options.bins >= 1, "a histogram has a bin");
  Histogram result;
  result.counts.assign(static_cast<std::size_t>(options.bins), 0);
  find_ends(values, options, result);
  const double width = (result.greatest - result.least) / static_cast<double>(options.bins);
  in_pieces(values, [&](const Tensor& part) {
    const double* numbers = part.const_data_ptr<double>();
    for (std::int64_t i = 0; i < part.numel(); ++i) {
      if (!std::isfinite(numbers[i])) {
        ++result.not_finite;
        continue;
      }
      const double place = width > 0 ? (numbers[i] - result.least) / width : 0;
      const auto bin = static_cast<std::size_t>(std::clamp(place, 0.0, static_cast<double>(options.bins - 1)));
      ++result.counts[bin];
    }
  });
  return result;
}

void ActivationStatistics::add(const Tensor& activation, std::int64_t channel_axis) {
  const Tensor rows = activation.to(at::kDouble).movedim(channel_axis, 0).flatten(1);  // [units, others]
  const Tensor sums = rows.sum(1), squares = rows.square().sum(1), least = rows.amin(1), greatest = rows.amax(1);
  const bool first = !sums_.defined();
  ASSERT(first || sums_.size(0) == sums.size(0), "a layer always has as many units");
  count_ += rows.numel();
  sums_ = first ? sums : sums_ + sums;
  squares_ = first ? squares : squares_ + squares;
  least_ = first ? least : at::minimum(least_, least);
  greatest_ = first ? greatest : at::maximum(greatest_, greatest);
}

double ActivationStatistics::mean() const { return sums_.sum().item<double>() / static_cast<double>(count_); }

double ActivationStatistics::deviation() const {
  const double average = mean();
  return std::sqrt(std::max(0.0, squares_.sum().item<double>() / static_cast<double>(count_) - average * average));
}

double ActivationStatistics::least() const { return least_.min().item<double>(); }

double ActivationStatistics::greatest() const { return greatest_.max().item<double>(); }

double ActivationStatistics::dead_share() const {
  if (count_ == units()) return 0;
  return (greatest_ == least_).to(at::kDouble).mean().item<double>();
}

std::vector<std::int64_t> ActivationStatistics::outlier_channels(double times) const {
  const Tensor size = (squares_ * (static_cast<double>(units()) / static_cast<double>(count_))).sqrt();
  return ops::numbers_of<std::int64_t>((size > times * size.median()).nonzero().select(1, 0));
}

}  // namespace nunchi::explain
