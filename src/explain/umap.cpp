#include <ATen/ops/cdist.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "core/interrupt.h"
#include "explain/chance.h"
#include "explain/projection.h"

namespace nunchi::explain {
namespace {

// Of 1 / (1 + a d^2b), fitted to a least distance of 0.1 and a spread of 1 (section 3.2; the reference's own figures).
constexpr double curve_a = 1.5769, curve_b = 0.8951;
constexpr int negative_samples = 5;
constexpr double most_step = 4, start_width = 10;
constexpr std::int64_t rows_at_a_time = 256;

struct Near {
  std::int64_t index;
  double distance;
};
using Neighborhoods = std::vector<std::vector<Near>>;

std::vector<Near> nearest_in_row(const float* distances, std::int64_t n, std::int64_t row, std::int64_t k) {
  std::vector<Near> all;
  for (std::int64_t i = 0; i < n; ++i)
    if (i != row) all.push_back({i, distances[i]});
  std::ranges::partial_sort(all, all.begin() + k, [](const Near& a, const Near& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.index < b.index;
  });
  all.resize(static_cast<std::size_t>(k));
  return all;
}

Neighborhoods neighborhoods_of(const Tensor& vectors, std::int64_t k) {
  const Tensor values = vectors.to(at::kFloat);
  Neighborhoods all;
  for (std::int64_t begin = 0; begin < values.size(0); begin += rows_at_a_time) {
    throw_if_stopped();
    const Tensor distances = at::cdist(values.slice(0, begin, begin + rows_at_a_time), values).contiguous();
    for (std::int64_t i = 0; i < distances.size(0); ++i) {
      const float* row = distances.const_data_ptr<float>() + i * values.size(0);
      all.push_back(nearest_in_row(row, values.size(0), begin + i, k));
    }
  }
  return all;
}

// Algorithm 3: the width at which the neighbours' memberships sum to log2(k).
double width_of(const std::vector<Near>& neighbors) {
  const double wanted = std::log2(static_cast<double>(neighbors.size())), nearest = neighbors.front().distance;
  double least = 0, greatest = std::numeric_limits<double>::infinity(), width = 1;
  for (int step = 0; step < 64; ++step) {
    double sum = 0;
    for (const auto& near : neighbors) sum += std::exp(-(near.distance - nearest) / width);
    if (std::abs(sum - wanted) < 1e-5) break;
    (sum > wanted ? greatest : least) = width;
    width = std::isfinite(greatest) ? (least + greatest) / 2 : 2 * width;
  }
  return std::max(width, 1e-3 * neighbors.back().distance + 1e-12);
}

struct Edge {
  std::size_t from, to;
  double weight;
};

// Memberships of both directions: a + b - ab.
std::vector<Edge> edges_of(const Neighborhoods& neighborhoods) {
  std::map<std::pair<std::size_t, std::size_t>, double> weights;
  for (std::size_t i = 0; i < neighborhoods.size(); ++i) {
    const double width = width_of(neighborhoods[i]), nearest = neighborhoods[i].front().distance;
    for (const auto& near : neighborhoods[i]) {
      const auto j = static_cast<std::size_t>(near.index);
      const double membership = std::exp(-(near.distance - nearest) / width);
      double& weight = weights[{std::min(i, j), std::max(i, j)}];
      weight = weight + membership - weight * membership;
    }
  }
  std::vector<Edge> edges;
  for (const auto& [ends, weight] : weights) edges.push_back({ends.first, ends.second, weight});
  return edges;
}

struct Point {
  double x, y;
};

double clipped(double step) { return std::clamp(step, -most_step, most_step); }

void attract(Point& a, Point& b, double rate) {
  const double x = a.x - b.x, y = a.y - b.y, squared = x * x + y * y;
  if (squared <= 0) return;
  const double power = std::pow(squared, curve_b);
  const double factor = -2 * curve_a * curve_b * power / squared / (1 + curve_a * power);
  const double across = rate * clipped(factor * x), down = rate * clipped(factor * y);
  a.x += across, a.y += down;
  b.x -= across, b.y -= down;
}

void repel(Point& a, const Point& b, double rate) {
  const double x = a.x - b.x, y = a.y - b.y, squared = x * x + y * y;
  if (squared <= 0) return;
  const double factor = 2 * curve_b / ((0.001 + squared) * (1 + curve_a * std::pow(squared, curve_b)));
  a.x += rate * clipped(factor * x);
  a.y += rate * clipped(factor * y);
}

// An edge is drawn as often as its weight says (section 3.2): the heaviest in every epoch.
void run_epoch(std::vector<Point>& points, const std::vector<Edge>& edges, double heaviest, double rate,
               Chance& chance) {
  for (const auto& edge : edges) {
    if (chance.share() * heaviest >= edge.weight) continue;
    attract(points[edge.from], points[edge.to], rate);
    for (const auto end : {edge.from, edge.to}) {
      for (int i = 0; i < negative_samples; ++i) {
        const auto other = static_cast<std::size_t>(chance.share() * static_cast<double>(points.size()));
        if (other != end) repel(points[end], points[other], rate);
      }
    }
  }
}

std::vector<Point> start_of(const Tensor& vectors, Chance& chance) {
  const Tensor plane = pca_plane(vectors).to(at::kDouble).contiguous();
  const double scale = start_width / std::max(1e-12, plane.abs().max().item<double>());
  const double* numbers = plane.const_data_ptr<double>();
  std::vector<Point> points;
  for (std::int64_t i = 0; i < plane.size(0); ++i)
    points.push_back(
        {numbers[2 * i] * scale + 1e-3 * chance.normal(), numbers[2 * i + 1] * scale + 1e-3 * chance.normal()});
  return points;
}

}  // namespace

Tensor umap(const Tensor& vectors, const UmapOptions& options) {
  const auto n = vectors.size(0);
  if (n < 4) return pca_plane(vectors);
  const auto edges = edges_of(neighborhoods_of(vectors, std::min(options.neighbors, n - 1)));
  const double heaviest = std::ranges::max(edges, {}, &Edge::weight).weight;
  Chance chance(options.seed);
  auto points = start_of(vectors, chance);
  for (std::int64_t epoch = 0; epoch < options.epochs; ++epoch) {
    throw_if_stopped();
    const double rate = 1 - static_cast<double>(epoch) / static_cast<double>(options.epochs);
    run_epoch(points, edges, heaviest, rate, chance);
    if (options.progress) options.progress(epoch + 1, options.epochs);
  }
  Tensor places = at::empty({n, 2}, at::kFloat);
  float* to = places.mutable_data_ptr<float>();
  for (const auto& point : points) *to++ = static_cast<float>(point.x), *to++ = static_cast<float>(point.y);
  return places;
}

}  // namespace nunchi::explain
