#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/interrupt.h"
#include "explain/chance.h"
#include "explain/projection.h"

namespace nunchi::explain {
namespace {

constexpr std::int64_t most_vectors = 20'000, divergence_every = 50;

struct Place {
  float x = 0, y = 0;
};

// The binary search of the paper's section 2: row i of conditional probabilities, whose entropy is log(perplexity).
// distances [n] are squared.
void fill_conditional(const float* distances, std::int64_t n, std::int64_t i, double perplexity, float* row) {
  const double wanted = std::log(perplexity);
  double least = 0, greatest = std::numeric_limits<double>::infinity(), precision = 1;
  double nearest = std::numeric_limits<double>::infinity();
  for (std::int64_t j = 0; j < n; ++j)
    if (j != i) nearest = std::min<double>(nearest, distances[j]);
  for (int step = 0; step < 100; ++step) {
    double sum = 0, weighted = 0;
    for (std::int64_t j = 0; j < n; ++j) {
      const double away = distances[j] - nearest;  // a common factor that keeps exp() from vanishing
      const double p = j == i ? 0 : std::exp(-precision * away);
      row[j] = static_cast<float>(p);
      sum += p;
      weighted += p * away;
    }
    const double entropy = std::log(sum) + precision * weighted / sum;
    for (std::int64_t j = 0; j < n; ++j) row[j] = static_cast<float>(row[j] / sum);
    if (std::abs(entropy - wanted) < 1e-5) return;
    (entropy > wanted ? least : greatest) = precision;
    precision = std::isfinite(greatest) ? (least + greatest) / 2 : 2 * precision;
  }
}

Tensor squared_distances(const Tensor& vectors) {
  const Tensor values = vectors.to(at::kDouble);
  const Tensor lengths = values.square().sum(1);
  const Tensor all = lengths.unsqueeze(1) + lengths - 2 * at::matmul(values, values.t());
  return all.clamp_min(0).to(at::kFloat).contiguous();
}

// [n, n], symmetric, sums to one.
Tensor joint_probabilities(const Tensor& vectors, double perplexity) {
  const auto n = vectors.size(0);
  const Tensor distances = squared_distances(vectors);
  Tensor conditional = at::empty({n, n}, at::kFloat);
  float* rows = conditional.mutable_data_ptr<float>();
  at::parallel_for(0, n, 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      fill_conditional(distances.const_data_ptr<float>() + i * n, n, i, perplexity, rows + i * n);
  });
  return ((conditional + conditional.t()) / (2.0 * static_cast<double>(n))).contiguous();
}

// The sum over all others of what one point feels: with q = 1 / (1 + distance^2), not yet divided by the sum of all q.
struct Pull {
  double attraction_x = 0, attraction_y = 0, repulsion_x = 0, repulsion_y = 0, sum = 0;
};

Pull pull_on(std::int64_t i, const std::vector<Place>& places, const float* p) {
  const Place here = places[static_cast<std::size_t>(i)];
  float ax = 0, ay = 0, rx = 0, ry = 0, sum = 0;
  for (std::size_t j = 0; j < places.size(); ++j) {
    const float x = here.x - places[j].x, y = here.y - places[j].y;
    const float q = 1 / (1 + x * x + y * y), pq = p[j] * q, qq = q * q;
    ax += pq * x, ay += pq * y;
    rx += qq * x, ry += qq * y;
    sum += q;
  }
  return {ax, ay, rx, ry, sum - 1.0};  // without itself, whose q is 1
}

class Descent {
 public:
  Descent(Tensor probabilities, std::vector<Place> start)
      : probabilities_(std::move(probabilities)),
        places_(std::move(start)),
        velocity_(places_.size()),
        gains_(places_.size(), {1, 1}),
        pulls_(places_.size()) {}

  void step(double exaggeration, float momentum, float rate) {
    measure();
    double z = 0;
    for (const auto& pull : pulls_) z += pull.sum;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const auto& pull = pulls_[i];
      const auto gradient = [&](double attraction, double repulsion) {
        return static_cast<float>(4 * (exaggeration * attraction - repulsion / z));
      };
      move(places_[i].x, velocity_[i].x, gains_[i].x, gradient(pull.attraction_x, pull.repulsion_x), momentum, rate);
      move(places_[i].y, velocity_[i].y, gains_[i].y, gradient(pull.attraction_y, pull.repulsion_y), momentum, rate);
    }
    centre();
  }

  // sum p log(p / q)
  double divergence() {
    measure();
    double z = 0, sum = 0;
    for (const auto& pull : pulls_) z += pull.sum;
    const auto n = places_.size();
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        const double p = probability_row(i)[j];
        if (i == j || p <= 0) continue;
        const double x = places_[i].x - places_[j].x, y = places_[i].y - places_[j].y;
        sum += p * std::log(p * z * (1 + x * x + y * y));
      }
    }
    return sum;
  }

  const std::vector<Place>& places() const { return places_; }

 private:
  const float* probability_row(std::size_t i) const {
    return probabilities_.const_data_ptr<float>() + i * places_.size();
  }

  void measure() {
    at::parallel_for(0, std::ssize(places_), 32, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        pulls_[static_cast<std::size_t>(i)] = pull_on(i, places_, probability_row(static_cast<std::size_t>(i)));
    });
  }

  // Jacobs 1988: steps grow where the direction holds.
  static void move(float& place, float& velocity, float& gain, float gradient, float momentum, float rate) {
    gain = std::max(0.01f, (gradient > 0) != (velocity > 0) ? gain + 0.2f : gain * 0.8f);
    velocity = momentum * velocity - rate * gain * gradient;
    place += velocity;
  }

  void centre() {
    double x = 0, y = 0;
    for (const auto& place : places_) x += place.x, y += place.y;
    const auto n = static_cast<double>(places_.size());
    for (auto& place : places_) place.x -= static_cast<float>(x / n), place.y -= static_cast<float>(y / n);
  }

  Tensor probabilities_;  // [n, n]
  std::vector<Place> places_, velocity_, gains_;
  std::vector<Pull> pulls_;
};

std::vector<Place> start_of(const Tensor& vectors, std::uint64_t seed) {
  constexpr double spread = 1e-4;
  const Tensor plane = pca_plane(vectors).contiguous();
  const double scale = spread / std::max(1e-12, plane.select(1, 0).std().item<double>());
  const float* numbers = plane.const_data_ptr<float>();
  Chance chance(seed);
  std::vector<Place> places(static_cast<std::size_t>(vectors.size(0)));
  for (std::size_t i = 0; i < places.size(); ++i) {
    places[i].x = static_cast<float>(numbers[2 * i] * scale + 0.1 * spread * chance.normal());
    places[i].y = static_cast<float>(numbers[2 * i + 1] * scale + 0.1 * spread * chance.normal());
  }
  return places;
}

void check_count(std::int64_t n) {
  if (n <= most_vectors) return;
  throw Error(ErrorKind::usage,
              fmt::format("t-SNE: expected at most {} vectors, found {}: every two are compared. Take "
                          "fewer, or the first two principal components",
                          most_vectors, n));
}

}  // namespace

Tsne tsne(const Tensor& vectors, const TsneOptions& options) {
  const auto n = vectors.size(0);
  check_count(n);
  Tsne result{.places = pca_plane(vectors), .divergence = {}};
  if (n < 4) return result;  // there is no perplexity for so few
  result.perplexity = std::min(options.perplexity, static_cast<double>(n - 1) / 3);
  Descent descent(joint_probabilities(vectors, result.perplexity), start_of(vectors, options.seed));
  const auto early = std::min<std::int64_t>(250, options.iterations / 4);
  const auto rate = static_cast<float>(std::max(static_cast<double>(n) / options.early_exaggeration / 4, 50.0));
  for (std::int64_t i = 0; i < options.iterations; ++i) {
    throw_if_stopped();
    descent.step(i < early ? options.early_exaggeration : 1, i < early ? 0.5f : 0.8f, rate);
    if ((i + 1) % divergence_every == 0 || i + 1 == options.iterations)
      result.divergence.push_back(descent.divergence());
    if (options.progress) options.progress(i + 1, options.iterations);
  }
  result.places = at::empty({n, 2}, at::kFloat);
  static_assert(sizeof(Place) == 2 * sizeof(float));
  std::copy_n(&descent.places().front().x, 2 * n, result.places.mutable_data_ptr<float>());
  return result;
}

}  // namespace nunchi::explain
