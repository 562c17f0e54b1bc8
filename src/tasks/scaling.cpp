#include "tasks/scaling.h"

#include <ATen/ops/count_nonzero.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>

#include "core/interrupt.h"
#include "core/timing.h"
#include "nn/attention.h"
#include "nn/conv.h"
#include "nn/initialise.h"
#include "ops/count.h"

namespace nunchi::tasks {
namespace {

constexpr std::int64_t kernel = 3;

// The three that are compared, with random weights, as inference has them.
struct Layers {
  nn::Attention attention;
  nn::Conv convolution;
  std::int64_t heads;

  explicit Layers(const ScalingOptions& o)
      : attention({.dim = o.heads * o.head_dim, .heads = o.heads}),
        convolution({.in = o.heads * o.head_dim,
                     .out = o.heads * o.head_dim,
                     .kernel = {kernel, kernel},
                     .padding = kernel / 2}),
        heads(o.heads) {
    for (nn::Module* layer : {static_cast<nn::Module*>(&attention), static_cast<nn::Module*>(&convolution)}) {
      layer->initialise(nn::seeded(1));
      layer->freeze({});
    }
  }
};

struct Inputs {
  Tensor tokens, q, map;

  Inputs(const Layers& layers, std::int64_t dim, std::int64_t side)
      : tokens(at::randn({1, side * side, dim}, nn::seeded(2))),
        q(tokens.view({1, side * side, layers.heads, -1})),
        map(tokens.view({1, side, side, dim}).permute({0, 3, 1, 2})) {}
};

using Call = std::function<void(const Inputs&)>;

struct Named {
  std::string name;
  Call call;
};

std::vector<Named> calls_of(const Layers& layers) {
  return {{"self-attention layer", [&](const Inputs& x) { layers.attention.forward(x.tokens); }},
          {"attention alone", [](const Inputs& x) { ops::attention(x.q, x.q, x.q); }},
          {"3x3 convolution", [&](const Inputs& x) { layers.convolution.forward(x.map); }}};
}

std::int64_t macs_of(const Call& call, const Inputs& inputs) {
  const ops::MacCounter counter;
  call(inputs);
  return counter.total();
}

// The call before prepares what is kept for inputs of one size.
double seconds_of(const Call& call, const Inputs& inputs) {
  call(inputs);
  const auto start = Clock::now();
  call(inputs);
  return seconds_since(start);
}

Slopes slopes_of(const std::vector<ScalingPoint>& points, const std::function<double(const ScalingPoint&)>& value) {
  const double middle = std::sqrt(static_cast<double>(points.front().tokens * points.back().tokens));
  std::vector<double> x, y, upper_x, upper_y;
  for (const auto& point : points) {
    const auto tokens = static_cast<double>(point.tokens);
    x.push_back(tokens);
    y.push_back(value(point));
    if (tokens < 0.999 * middle) continue;
    upper_x.push_back(tokens);
    upper_y.push_back(value(point));
  }
  return {log_log_slope(x, y), log_log_slope(upper_x, upper_y)};
}

std::int64_t changed_places(const Tensor& change) { return at::count_nonzero(change).item<std::int64_t>(); }

// Weights of one let every input matter that can.
Tensor after_convolution(const Tensor& change) {
  return ops::conv2d(change, {.weight = at::ones({1, 1, kernel, kernel}), .bias = {}},
                     {.padding = {kernel / 2, kernel / 2}});
}

// The tokens of a square of this side, and what becomes of them where the middle one is another.
std::vector<ReceptiveField> receptive_fields(std::int64_t side) {
  constexpr std::int64_t dim = 8;
  const auto n = side * side, middle = side / 2;
  Tensor change = at::zeros({1, 1, side, side});
  change[0][0][middle][middle] = 1;
  Tensor tokens = at::rand({1, n, 1, dim}, nn::seeded(3)), others = tokens.clone();
  others[0][middle * side + middle] += 1;
  std::vector<ReceptiveField> fields;
  while (fields.empty() || fields.back().convolution < n) {
    change = after_convolution(change);
    tokens = ops::attention(tokens, tokens, tokens).output;
    others = ops::attention(others, others, others).output;
    fields.push_back({.layers = std::ssize(fields) + 1,
                      .attention = changed_places((tokens - others).abs().sum({2, 3})),
                      .convolution = changed_places(change)});
  }
  for (auto& field : fields) field.attention = std::max(field.attention, fields.front().attention);
  return fields;
}

struct Measuring {
  std::vector<Named> calls;
  std::vector<Inputs> inputs;
  std::vector<std::vector<std::vector<double>>> seconds;  // [calls, inputs, rounds]
};

// Round by round: what disturbs the machine for a while disturbs every size and every call alike.
bool measure_rounds(Measuring& m, const ScalingOptions& options) {
  m.seconds.assign(m.calls.size(), std::vector<std::vector<double>>(m.inputs.size()));
  const auto total = static_cast<std::int64_t>(m.calls.size() * m.inputs.size()) * options.rounds;
  std::int64_t done = 0;
  for (int round = 0; round < options.rounds; ++round) {
    for (std::size_t i = 0; i < m.inputs.size(); ++i) {
      for (std::size_t j = 0; j < m.calls.size(); ++j) {
        if (stop_requested()) return false;
        m.seconds[j][i].push_back(seconds_of(m.calls[j].call, m.inputs[i]));
        options.on_progress(++done, total);
      }
    }
  }
  return true;
}

ScalingCurve curve_of(const Measuring& m, std::size_t call) {
  ScalingCurve curve{.name = m.calls[call].name, .points = {}};
  for (std::size_t i = 0; i < m.inputs.size(); ++i) {
    curve.points.push_back({.tokens = m.inputs[i].tokens.size(1),
                            .macs = macs_of(m.calls[call].call, m.inputs[i]),
                            .seconds = median(m.seconds[call][i]),
                            .least_seconds = std::ranges::min(m.seconds[call][i])});
  }
  curve.work_slope = slopes_of(curve.points, [](const auto& point) { return static_cast<double>(point.macs); });
  curve.time_slope = slopes_of(curve.points, [](const auto& point) { return point.least_seconds; });
  return curve;
}

}  // namespace

Scaling measure_scaling(const ScalingOptions& options) {
  ASSERT(options.sides.size() > 1 && options.rounds > 0, "a slope needs two points");
  Layers layers(options);
  const c10::InferenceMode inference;
  Scaling scaling{.heads = options.heads, .head_dim = options.head_dim, .curves = {}, .fields = {}};
  Measuring m{.calls = calls_of(layers), .inputs = {}, .seconds = {}};
  for (const auto side : options.sides) m.inputs.emplace_back(layers, options.heads * options.head_dim, side);
  scaling.stopped = !measure_rounds(m, options);
  if (scaling.stopped) return scaling;
  for (std::size_t i = 0; i < m.calls.size(); ++i) scaling.curves.push_back(curve_of(m, i));
  scaling.fields = receptive_fields(options.sides.front());
  return scaling;
}

double log_log_slope(const std::vector<double>& x, const std::vector<double>& y) {
  ASSERT(x.size() == y.size() && x.size() > 1, "a slope needs two points");
  double mean_x = 0, mean_y = 0, both = 0, squares = 0;
  const auto n = static_cast<double>(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    mean_x += std::log(x[i]) / n;
    mean_y += std::log(y[i]) / n;
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    both += (std::log(x[i]) - mean_x) * (std::log(y[i]) - mean_y);
    squares += (std::log(x[i]) - mean_x) * (std::log(x[i]) - mean_x);
  }
  ASSERT(squares > 0, "a slope needs two different x");
  return both / squares;
}

}  // namespace nunchi::tasks
