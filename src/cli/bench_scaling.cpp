// bench --scaling: what a longer sequence costs.
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "cli/bench_run.h"
#include "cli/commands.h"
#include "cli/machine.h"
#include "cli/short_duration.h"
#include "core/interrupt.h"
#include "core/isa.h"
#include "draw/line_chart.h"
#include "draw/words.h"
#include "explain/graph.h"
#include "tasks/scaling.h"

namespace nunchi::cli {
namespace {

using tasks::Scaling;
using tasks::ScalingCurve;
using tasks::ScalingPoint;

constexpr double width = 1080, height = 430;

// The heads of the model's last attention, those of ViT-S where it has none.
struct Heads {
  std::int64_t heads, head_dim;
  std::string of;
};

Heads heads_of(const Options& options) {
  const auto files = tasks::open_model_files(model_source(options));
  const auto graph = explain::graph_of(*files.built.model, files.built.model->input_shape());
  const auto name = short_name(options.model);
  if (graph.heads > 0) return {graph.heads, graph.head_dim, name};
  const tasks::ScalingOptions small;
  return {small.heads, small.head_dim, fmt::format("ViT-S ({} has no attention)", name)};
}

std::string what_is_measured(const Scaling& scaling, const Heads& heads, const PageWords& say = PageWords()) {
  return say("{} heads of {}, as of {}; fp32, {}, threads: {}", scaling.heads, scaling.head_dim, heads.of,
             cpu_info().brand, at::get_num_threads());
}

Json as_json(const tasks::Slopes& slopes) { return {{"whole", slopes.whole}, {"upper_half", slopes.upper}}; }

Json as_json(const Scaling& scaling, const Heads& heads) {
  Json json = machine_as_json(at::get_num_threads());
  json.update({{"heads", scaling.heads},
               {"head_dim", scaling.head_dim},
               {"heads_of", heads.of},
               {"curves", Json::array()},
               {"receptive_fields", Json::array()}});
  for (const auto& curve : scaling.curves) {
    Json points = Json::array();
    for (const auto& point : curve.points)
      points.push_back({{"tokens", point.tokens},
                        {"flops", 2 * point.macs},
                        {"median_seconds", point.seconds},
                        {"least_seconds", point.least_seconds}});
    json["curves"].push_back({{"name", curve.name},
                              {"points", std::move(points)},
                              {"flop_slope", as_json(curve.work_slope)},
                              {"time_slope", as_json(curve.time_slope)}});
  }
  for (const auto& field : scaling.fields)
    json["receptive_fields"].push_back(
        {{"layers", field.layers}, {"attention", field.attention}, {"convolution", field.convolution}});
  return json;
}

// --- as text

void write_measurements(Results& results, const Scaling& scaling) {
  std::string head = fmt::format("{:>6}", "tokens");
  for (const auto& curve : scaling.curves) head += fmt::format("  {:>24}", curve.name);
  results.line(head);
  for (std::size_t i = 0; i < scaling.curves.front().points.size(); ++i) {
    std::string line = fmt::format("{:>6}", scaling.curves.front().points[i].tokens);
    for (const auto& curve : scaling.curves) {
      const auto& point = curve.points[i];
      line +=
          fmt::format("  {:>9.3f} GFLOP {:>8}", 2e-9 * static_cast<double>(point.macs), short_duration(point.seconds));
    }
    results.line(line);
  }
}

void write_slopes(Results& results, const Scaling& scaling) {
  results.line("");
  results.line(fmt::format("{:<22} {:>12} {:>12} {:>12} {:>12}", "grows as tokens to the", "FLOP", "upper half", "time",
                           "upper half"));
  for (const auto& curve : scaling.curves) {
    results.line(fmt::format("{:<22} {:>12.2f} {:>12.2f} {:>12.2f} {:>12.2f}", curve.name, curve.work_slope.whole,
                             curve.work_slope.upper, curve.time_slope.whole, curve.time_slope.upper));
  }
}

void write_fields(Results& results, const Scaling& scaling) {
  results.line("");
  results.line(fmt::format("{:<22} {:>12} {:>12}", "sees after", "attention", "convolution"));
  for (const auto& field : scaling.fields)
    results.line(fmt::format("{:<22} {:>12} {:>12}",
                             fmt::format("{} layer{}", field.layers, field.layers > 1 ? "s" : ""), field.attention,
                             field.convolution));
  results.line(fmt::format("Places of {} that one place depends on: all of them, or (1 + 2 layers) squared.",
                           scaling.curves.front().points.front().tokens));
}

void write_text(Results& results, const Scaling& scaling, const Heads& heads) {
  results.line(what_is_measured(scaling, heads));
  write_measurements(results, scaling);
  write_slopes(results, scaling);
  write_fields(results, scaling);
}

// --- as a picture

draw::LineChart chart_of(const Scaling& scaling, const PageWords& say, const std::string& title,
                         const tasks::Slopes ScalingCurve::*slopes, double (*value)(const ScalingPoint&)) {
  draw::LineChart chart{.x = {.title = say("tokens"), .logarithmic = true, .ticks = {}},
                        .y = {.title = title, .logarithmic = true}};
  for (const auto& curve : scaling.curves) {
    draw::Series series{.name = fmt::format("{}: {:.2f}", curve.name, (curve.*slopes).upper), .x = {}, .y = {}};
    for (const auto& point : curve.points) {
      series.x.push_back(static_cast<double>(point.tokens));
      series.y.push_back(value(point));
    }
    chart.series.push_back(std::move(series));
  }
  for (const auto& point : scaling.curves.front().points)
    if (chart.x.ticks.empty() || static_cast<double>(point.tokens) > 1.9 * chart.x.ticks.back())
      chart.x.ticks.push_back(static_cast<double>(point.tokens));
  return chart;
}

draw::LineChart field_chart(const Scaling& scaling, const PageWords& say) {
  draw::LineChart chart{.x = {.title = say("layers"), .least = 0, .whole_numbers = true},
                        .y = {.title = say("places seen"), .least = 0}};
  chart.series = {{.name = say("attention: all"), .x = {}, .y = {}, .color = draw::series_color(0)},
                  {.name = say("3x3 convolution: (1 + 2k)²"), .x = {}, .y = {}, .color = draw::series_color(2)}};
  for (auto& series : chart.series) {
    series.x.push_back(0);
    series.y.push_back(1);
  }
  for (const auto& field : scaling.fields) {
    for (auto& series : chart.series) series.x.push_back(static_cast<double>(field.layers));
    chart.series[0].y.push_back(static_cast<double>(field.attention));
    chart.series[1].y.push_back(static_cast<double>(field.convolution));
  }
  return chart;
}

void plot(const std::filesystem::path& file, const Scaling& scaling, const Heads& heads, const PageWords& say) {
  const draw::Head head = {.title = say("What more tokens cost, and how far a layer sees"),
                           .subtitle = say("{}. Beside each name: the exponent over the upper half of the tokens.",
                                           what_is_measured(scaling, heads, say))};
  const auto time = chart_of(scaling, say, say("milliseconds a layer, fastest"), &ScalingCurve::time_slope,
                             [](const ScalingPoint& point) { return 1e3 * point.least_seconds; });
  const auto work = chart_of(scaling, say, say("GFLOP a layer"), &ScalingCurve::work_slope,
                             [](const ScalingPoint& point) { return 2e-9 * static_cast<double>(point.macs); });
  const auto fields = field_chart(scaling, say);
  const auto onto = [&](draw::Canvas& canvas) {
    const double y =
        draw::margin + draw::draw_head(canvas, head, {draw::margin, draw::margin}, width - 2 * draw::margin);
    constexpr double each = (width - 4 * draw::margin) / 3;
    double x = draw::margin;
    for (const auto* chart : {&work, &time, &fields}) {
      draw::draw_line_chart(canvas, *chart, {x, y, each, height - draw::margin - y});
      x += each + draw::margin;
    }
  };
  draw::write_drawing(file, {.width = width, .height = height, .draw = onto});
}

}  // namespace

int bench_scaling(const Options& options) {
  if (options.plot.ends_with(".html"))
    throw Error(ErrorKind::usage, "--plot: with --scaling a name ending in .png, .svg or .pdf is expected");
  for (const auto* path : {&options.out, &options.plot})
    if (!path->empty()) check_place(*path);
  const auto heads = heads_of(options);
  ProgressLine progress("bench", "measurements", options.quiet);
  const auto scaling = tasks::measure_scaling(
      {.heads = heads.heads, .head_dim = heads.head_dim, .on_progress = [&](std::int64_t done, std::int64_t total) {
         progress.show(done, total);
       }});
  progress.clear();
  if (scaling.stopped) return exit_interrupted;
  Results results(options.out);
  if (options.json || options.out.ends_with(".json"))
    results.line(json_line(as_json(scaling, heads)));
  else
    write_text(results, scaling, heads);
  results.close();
  if (!options.plot.empty()) plot(options.plot, scaling, heads, PageWords(options.language));
  return 0;
}

}  // namespace nunchi::cli
