#include "explain/faithfulness.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace nunchi::explain {
namespace {

// Which place each pixel has when the most important come first, [h, w]. Equal ones keep their order.
Tensor order_of(const Tensor& map, nn::Grid image) {
  const Tensor values = over_picture(map, image).flatten();
  const Tensor pixels = std::get<1>(values.sort(/*stable=*/true, /*dim=*/0, /*descending=*/true));
  const Tensor places = at::arange(values.numel());
  return at::empty_like(places).scatter_(0, pixels, places).view({image[0], image[1]});
}

Tensor blurred(const Tensor& pixels) {
  constexpr std::int64_t size = 11;
  constexpr double deviation = 5;
  const Tensor distance = at::arange(size).to(at::kFloat) - size / 2;
  const Tensor bell = (-distance.square() / (2 * deviation * deviation)).exp();
  const Tensor kernel = at::outer(bell, bell) / (bell.sum() * bell.sum());
  const auto channels = pixels.size(1);
  return at::conv2d(pixels, kernel.expand({channels, 1, size, size}).contiguous(), {}, 1, size / 2, 1, channels);
}

double area_under(const Curve& curve) {
  double area = 0;
  for (std::size_t i = 1; i < curve.shares.size(); ++i) {
    const double width = curve.shares[i] - curve.shares[i - 1];
    area += width * (curve.probabilities[i] + curve.probabilities[i - 1]) / 2;
  }
  return area;
}

// The first pixels of the order come from `to`, the others from `from`.
struct Exchange {
  Tensor from, to;
};

Curve curve(const Subject& subject, const Target& target, const Tensor& map, std::int64_t steps,
            const Exchange& exchange, const Work& work) {
  const auto image = subject.anatomy().image;
  const Tensor order = order_of(map, image);
  const auto share = [&](std::int64_t step) { return static_cast<double>(step) / static_cast<double>(steps); };
  Curve result;
  in_batches(steps + 1, work, [&](std::int64_t begin, std::int64_t end) {
    std::vector<Tensor> pictures;
    for (auto step = begin; step < end; ++step) {
      const Tensor is_done = order < share(step) * static_cast<double>(order.numel());
      pictures.push_back(at::where(is_done, exchange.to, exchange.from));
      result.shares.push_back(share(step));
    }
    const Tensor probabilities = at::softmax(subject.logits(at::cat(pictures)), 1).select(1, target.answer);
    for (std::int64_t i = 0; i < end - begin; ++i) result.probabilities.push_back(probabilities[i].item<double>());
  });
  result.area = area_under(result);
  return result;
}

// Mean ranks of the values.
std::vector<double> ranks_of(const Tensor& map) {
  const Tensor flat = map.to(at::kFloat).flatten().contiguous();
  const std::span values(flat.const_data_ptr<float>(), static_cast<std::size_t>(flat.numel()));
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return values[i]; });
  std::vector<double> ranks(values.size());
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (std::size_t i = begin; i < end; ++i) ranks[order[i]] = static_cast<double>(begin + end - 1) / 2;
  }
  return ranks;
}

bool is_hit(std::int64_t row, std::int64_t column, const std::vector<Box>& boxes, double tolerance) {
  const double x = static_cast<double>(column) + 0.5, y = static_cast<double>(row) + 0.5;
  return std::ranges::any_of(boxes, [&](const Box& box) {
    const double right = std::max({box.left - x, x - box.right, 0.0}),
                 down = std::max({box.top - y, y - box.bottom, 0.0});
    return right * right + down * down <= tolerance * tolerance;
  });
}

}  // namespace

Curve deletion_curve(const Subject& subject, const Target& target, const Tensor& map, std::int64_t steps,
                     const Work& work) {
  const Tensor& pixels = subject.pixels();
  return curve(subject, target, map, steps, {.from = pixels, .to = at::zeros_like(pixels)}, work);
}

Curve insertion_curve(const Subject& subject, const Target& target, const Tensor& map, std::int64_t steps,
                      const Work& work) {
  const Tensor& pixels = subject.pixels();
  return curve(subject, target, map, steps, {.from = blurred(pixels), .to = pixels}, work);
}

bool hits(const Tensor& map, nn::Grid image, const std::vector<Box>& boxes, double tolerance) {
  const auto largest = over_picture(map, image).argmax().item<std::int64_t>();
  return is_hit(largest / image[1], largest % image[1], boxes, tolerance);
}

double chance_of_hit(nn::Grid image, const std::vector<Box>& boxes, double tolerance) {
  std::int64_t count = 0;
  for (std::int64_t row = 0; row < image[0]; ++row) {
    for (std::int64_t column = 0; column < image[1]; ++column) count += is_hit(row, column, boxes, tolerance) ? 1 : 0;
  }
  return static_cast<double>(count) / static_cast<double>(image[0] * image[1]);
}

std::optional<double> rank_correlation(const Tensor& a, const Tensor& b) {
  ASSERT(a.sizes() == b.sizes(), "maps of one shape are compared");
  const auto first = ranks_of(a), second = ranks_of(b);
  const double middle = static_cast<double>(first.size() - 1) / 2;
  double product = 0, squares_a = 0, squares_b = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const double x = first[i] - middle, y = second[i] - middle;
    product += x * y;
    squares_a += x * x;
    squares_b += y * y;
  }
  if (squares_a == 0 || squares_b == 0) return std::nullopt;
  return product / std::sqrt(squares_a * squares_b);
}

}  // namespace nunchi::explain
