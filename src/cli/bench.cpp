#include "tasks/bench.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>

#include "cli/bench_run.h"
#include "cli/commands.h"
#include "cli/machine.h"
#include "cli/short_duration.h"
#include "core/interrupt.h"
#include "core/progress.h"
#include "tasks/bundled_models.h"

namespace nunchi::cli {
namespace {

std::optional<Accuracy> read_accuracy(const std::string& model) {
  const auto json = tasks::read_model_json(model, "evaluation.json");
  if (!json || !json->contains("top1")) return std::nullopt;
  return Accuracy{.dataset = get_or<std::string>(*json, "dataset", "") + " " + get_or<std::string>(*json, "split", ""),
                  .top1 = get_or<double>(*json, "top1", 0)};
}

// Before anything is measured, so that a model that cannot be read is told at once.
std::vector<BenchedModel> describe_models(const Options& options) {
  std::vector<BenchedModel> models;
  for (const auto& name : options.side_by_side ? options.models : std::vector{options.model}) {
    auto source = model_source(options);
    source.path = name;
    models.push_back({.name = name, .info = tasks::describe_model(source), .accuracy = read_accuracy(name)});
  }
  return models;
}

void measure_all(const Options& options, std::vector<BenchedModel>& models) {
  const auto total = static_cast<std::int64_t>(models.size() * options.precisions.size() * options.batches.size());
  std::int64_t done = 0;
  ProgressLine progress("bench", "measurements", options.quiet);
  for (auto& model : models) {
    auto source = model_source(options);
    source.path = model.name;
    for (const auto& precision : options.precisions) {
      for (const auto batch : options.batches) {
        progress.show(done++, total, model.name);
        const tasks::BenchCase what{.precision = tasks::precision_from_name(precision), .batch = batch};
        model.measured.push_back({precision, batch, tasks::bench(source, what, {.seconds = options.seconds})});
        if (stop_requested() || model.measured.back().result.stopped) return;
      }
    }
  }
}

void write_model(Results& results, const BenchRun& run, const BenchedModel& model) {
  results.line(fmt::format("{}: {}; {}", model.name, model.in_words(), machine_in_words(run.threads)));
  results.line(fmt::format("{:<9} {:>5} {:>10} {:>10} {:>10} {:>10} {:>11} {:>9} {:>8} {:>10} {:>10} {:>10}",
                           "precision", "batch", "fastest", "median", "95 %", "99 %", "pictures/s", "GFLOP/s",
                           "of peak", "first call", "load", "memory"));
  for (const auto& m : model.measured) {
    const auto& r = m.result;
    if (!r.error.empty()) {
      results.line(fmt::format("{:<9} {:>5} could not be measured: {}", m.precision, m.batch, r.error));
      continue;
    }
    results.line(fmt::format(
        "{:<9} {:>5} {:>10} {:>10} {:>10} {:>10} {:>11.1f} {:>9.1f} {:>8} {:>10} {:>10} {:>10}", m.precision, m.batch,
        short_duration(r.at(0)), short_duration(r.at(0.5)), short_duration(r.at(0.95)), short_duration(r.at(0.99)),
        m.pictures_per_second(), 1e-9 * model.flops(m), in_words(run.share_of_peak(model, m)),
        short_duration(r.first_seconds), short_duration(r.load_seconds), format_bytes(r.peak_memory)));
  }
}

void write_text(Results& results, const BenchRun& run) {
  for (const auto& model : run.models) {
    write_model(results, run, model);
    if (run.models.size() > 1) results.line("");
  }
  results.line(
      "The network alone, on random pixels; memory: the peak of a process of its own, LibTorch included; of peak: what "
      "nunchi doctor --peak measures.");
}

Json as_json(const BenchRun& run, const BenchedModel& model, const Measured& m) {
  const auto& r = m.result;
  Json json = {{"precision", m.precision}, {"batch", m.batch}};
  if (!r.error.empty()) {
    json["error"] = r.error;
    return json;
  }
  json.update({{"calls", r.seconds.size()},
               {"least_seconds", r.at(0)},
               {"median_seconds", r.at(0.5)},
               {"p95_seconds", r.at(0.95)},
               {"p99_seconds", r.at(0.99)},
               {"pictures_per_second", m.pictures_per_second()},
               {"gflops", 1e-9 * model.flops(m)},
               {"first_seconds", r.first_seconds},
               {"load_seconds", r.load_seconds},
               {"peak_memory", r.peak_memory}});
  if (const auto share = run.share_of_peak(model, m)) json["share_of_peak"] = *share;
  return json;
}

Json as_json(const BenchRun& run, const BenchedModel& model) {
  Json json = {{"model", model.name},
               {"parameters", model.info.parameters},
               {"flops", 2 * model.info.macs},
               {"measurements", Json::array()}};
  if (model.accuracy) json["top1"] = model.accuracy->top1;
  for (const auto& m : model.measured) json["measurements"].push_back(as_json(run, model, m));
  return json;
}

// Of one model all in one object; of several their objects under "models".
Json as_json(const BenchRun& run, bool several) {
  Json json = machine_as_json(run.threads);
  json["peak"] = {{"fp32", run.peak.fp32}, {"bf16", run.peak.bf16}, {"int8", run.peak.int8}};
  if (!several) {
    json.update(as_json(run, run.models.front()));
    return json;
  }
  json["models"] = Json::array();
  for (const auto& model : run.models) json["models"].push_back(as_json(run, model));
  return json;
}

bool is_failure(const Measured& m) { return !m.result.error.empty(); }

}  // namespace

int bench(const Options& options) {
  if (options.suggest_batch) return suggest_batch(options);
  if (options.scaling) return bench_scaling(options);
  if (!options.plot.empty()) check_place(options.plot);
  Results results(options.out);
  BenchRun run{.models = describe_models(options)};
  measure_all(options, run.models);
  run.threads = at::get_num_threads();
  if (!stop_requested()) run.peak = measure_peak({.threads = run.threads});
  if (options.json)
    results.line(json_line(as_json(run, options.side_by_side)));
  else
    write_text(results, run);
  results.close();
  if (stop_requested()) return exit_interrupted;
  if (!options.plot.empty()) {
    const PageWords say(options.language);
    const auto drawing = options.side_by_side ? comparison_drawing(run, say) : model_drawing(run, say);
    if (options.plot.ends_with(".html"))
      write_file(options.plot, bench_page(run, drawing, say));
    else
      draw::write_drawing(options.plot, drawing);
  }
  const auto failed = std::ranges::any_of(
      run.models, [](const auto& model) { return std::ranges::any_of(model.measured, is_failure); });
  return failed ? exit_some_failed : 0;
}

}  // namespace nunchi::cli
