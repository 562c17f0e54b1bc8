#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cli/bench_run.h"
#include "cli/commands.h"
#include "cli/demo_report.h"
#include "cli/machine.h"
#include "core/file.h"
#include "draw/line_chart.h"
#include "draw/words.h"

namespace nunchi::cli {
namespace {

constexpr double width = 940, height = 430;

std::vector<std::string> precisions_of(const BenchRun& run) {
  std::vector<std::string> names;
  for (const auto& model : run.models) {
    for (const auto& m : model.measured)
      if (std::ranges::find(names, m.precision) == names.end()) names.push_back(m.precision);
  }
  return names;
}

// One value for each batch that could be measured, with its text beside it.
struct Value {
  double number;
  std::string text;
};

draw::LineChart over_batches(const BenchRun& run, const PageWords& say, const std::string& title, bool logarithmic,
                             const std::function<Value(const Measured&)>& value) {
  draw::LineChart chart{.x = {.title = say("pictures a call (batch)"), .logarithmic = true},
                        .y = {.title = title, .logarithmic = logarithmic}};
  if (!logarithmic) chart.y.least = 0;
  std::set<double> batches;
  for (const auto& precision : precisions_of(run)) {
    draw::Series series{.name = precision, .x = {}, .y = {}};
    for (const auto& m : run.models.front().measured) {
      if (m.precision != precision || m.result.seconds.empty()) continue;
      const auto [number, text] = value(m);
      series.x.push_back(static_cast<double>(m.batch));
      series.y.push_back(number);
      series.labels.push_back(text);
      batches.insert(static_cast<double>(m.batch));
    }
    chart.series.push_back(std::move(series));
  }
  chart.x.ticks.assign(batches.begin(), batches.end());
  if (!chart.x.ticks.empty()) {  // room beside the outermost points
    chart.x.least = chart.x.ticks.front() / 2;
    chart.x.greatest = chart.x.ticks.back() * 2;
  }
  return chart;
}

// Each model and precision at its fastest batch.
const Measured* fastest(const BenchedModel& model, const std::string& precision) {
  const Measured* best = nullptr;
  for (const auto& m : model.measured) {
    if (m.precision != precision || m.result.seconds.empty()) continue;
    if (best == nullptr || m.pictures_per_second() > best->pictures_per_second()) best = &m;
  }
  return best;
}

// Where all have been asked the same questions.
bool has_comparable_accuracy(const BenchRun& run) {
  const auto& first = run.models.front().accuracy;
  return first && std::ranges::all_of(run.models, [&](const BenchedModel& model) {
           return model.accuracy && model.accuracy->dataset == first->dataset;
         });
}

// Where a model at one precision stands.
struct Spot {
  std::string precision;
  draw::Point at;
};

std::vector<Spot> spots_of(const BenchRun& run, const BenchedModel& model, bool accuracy) {
  std::vector<Spot> spots;
  for (const auto& precision : precisions_of(run)) {
    const auto* m = fastest(model, precision);
    if (m == nullptr) continue;
    const double speed = m->pictures_per_second();
    spots.push_back(
        {precision, accuracy ? draw::Point{speed, model.accuracy->top1} : draw::Point{model.gflop(), speed}});
  }
  return spots;
}

void add(draw::Series& series, const draw::Point& point) {
  series.x.push_back(point.x);
  series.y.push_back(point.y);
}

// The points that no other one is above and to the right of, from right to left.
draw::Series pareto_front(std::vector<draw::Point> points, const PageWords& say) {
  std::ranges::sort(points, [](const auto& a, const auto& b) { return a.x != b.x ? a.x > b.x : a.y > b.y; });
  draw::Series front{.name = say("Pareto front"), .x = {}, .y = {}, .dashed = true, .color = draw::quiet_ink};
  for (const auto& point : points)
    if (front.y.empty() || point.y > front.y.back()) add(front, point);
  return front;
}

// A thin line from each model's points to one another; the model's name at the fastest of them.
void add_points(draw::LineChart& chart, const BenchRun& run, bool accuracy, const PageWords& say) {
  const auto precisions = precisions_of(run);
  const auto names = short_names(run.models);
  std::vector<draw::Series> links, dots;
  for (std::size_t i = 0; i < precisions.size(); ++i)
    dots.push_back({.name = precisions[i], .x = {}, .y = {}, .joined = false, .color = draw::series_color(i)});
  std::vector<draw::Point> all;
  for (std::size_t i = 0; i < run.models.size(); ++i) {
    const auto spots = spots_of(run, run.models[i], accuracy);
    const auto best = std::ranges::max_element(spots, {}, [&](const Spot& s) { return accuracy ? s.at.x : s.at.y; });
    draw::Series link{.name = "", .x = {}, .y = {}, .color = draw::grid_line};
    for (auto spot = spots.begin(); spot != spots.end(); ++spot) {
      auto& series = *std::ranges::find(dots, spot->precision, &draw::Series::name);
      add(link, spot->at);
      add(series, spot->at);
      series.labels.push_back(spot == best ? names[i] : "");
      all.push_back(spot->at);
    }
    links.push_back(std::move(link));
  }
  chart.series = std::move(links);
  if (accuracy) chart.series.push_back(pareto_front(all, say));
  chart.series.insert(chart.series.end(), dots.begin(), dots.end());
  // Room beside the outermost points.
  const auto by_x = [](const draw::Point& point) { return point.x; };
  if (all.empty()) return;
  chart.x.least = std::ranges::min(all, {}, by_x).x / 1.5;
  chart.x.greatest = std::ranges::max(all, {}, by_x).x * 1.5;
}

draw::LineChart comparison_chart(const BenchRun& run, bool accuracy, const PageWords& say) {
  draw::LineChart chart{.width = width, .height = 500};
  const auto speed = say("pictures a second, at the fastest batch");
  if (accuracy) {
    chart.title = say("Accuracy and speed");
    chart.subtitle = say("up and to the right is better; {}", machine_in_words(run.threads, say));
    chart.x = {.title = speed, .logarithmic = true};
    chart.y = {.title = say("top-1 accuracy on {} (evaluation.json, whatever the precision)",
                            run.models.front().accuracy->dataset),
               .format = draw::NumberFormat::percent};
  } else {
    chart.title = say("Speed and work");
    chart.subtitle =
        say("higher is faster, further to the right is more work a picture; {}", machine_in_words(run.threads, say));
    chart.x = {.title = say("GFLOP a picture"), .logarithmic = true};
    chart.y = {.title = speed, .logarithmic = true};
  }
  add_points(chart, run, accuracy, say);
  return chart;
}

}  // namespace

draw::Drawing model_drawing(const BenchRun& run, const PageWords& say) {
  const auto& model = run.models.front();
  const draw::Head head = {.title = short_names(run.models).front(),
                           .subtitle = fmt::format("{}; {}", model.in_words(say), machine_in_words(run.threads, say))};
  const auto speed = over_batches(run, say, say("pictures a second"), false, [](const Measured& m) {
    return Value{m.pictures_per_second(),
                 fmt::format("{:.{}f}", m.pictures_per_second(), m.pictures_per_second() < 10 ? 1 : 0)};
  });
  const auto latency = over_batches(run, say, say("milliseconds a call, median"), true, [](const Measured& m) {
    return Value{1000 * m.result.at(0.5), milliseconds(m.result.at(0.5))};
  });
  const auto onto = [head, speed, latency](draw::Canvas& canvas) {
    const double y =
        draw::margin + draw::draw_head(canvas, head, {draw::margin, draw::margin}, width - 2 * draw::margin);
    const double half = (width - 4 * draw::margin) / 2, below = height - draw::margin - y;
    draw::draw_line_chart(canvas, speed, {draw::margin, y, half, below});
    draw::draw_line_chart(canvas, latency, {3 * draw::margin + half, y, half, below});
  };
  return {.width = width, .height = height, .draw = onto};
}

draw::Drawing comparison_drawing(const BenchRun& run, const PageWords& say) {
  return draw::drawing(comparison_chart(run, has_comparable_accuracy(run), say));
}

}  // namespace nunchi::cli
