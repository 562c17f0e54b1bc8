#include "tasks/bench.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.h"
#include "core/interrupt.h"
#include "core/isa.h"
#include "core/progress.h"
#include "tasks/info.h"

namespace nunchi::cli {
namespace {

using tasks::BenchResult;

struct Measured {
  std::string precision;
  std::int64_t batch;
  BenchResult result;

  double pictures_per_second() const {
    return result.seconds.empty() ? 0 : static_cast<double>(batch) / result.at(0.5);
  }
  double gflops(std::int64_t macs) const { return 2e-9 * static_cast<double>(macs) * pictures_per_second(); }
};

std::vector<Measured> measure_all(const Options& options, const tasks::ModelSource& source) {
  std::vector<Measured> all;
  const auto total = static_cast<std::int64_t>(options.precisions.size() * options.batches.size());
  ProgressLine progress("bench", "measurements", options.quiet);
  for (const auto& precision : options.precisions) {
    for (const auto batch : options.batches) {
      progress.show(static_cast<std::int64_t>(all.size()), total);
      const tasks::BenchCase what{.precision = tasks::precision_from_name(precision), .batch = batch};
      all.push_back({precision, batch, tasks::bench(source, what, {.seconds = options.seconds})});
      if (stop_requested() || all.back().result.stopped) return all;
    }
  }
  return all;
}

// 3.93 ms, 0.98 s
std::string duration(double seconds) {
  return seconds < 1 ? fmt::format("{:.2f} ms", 1000 * seconds) : fmt::format("{:.2f} s", seconds);
}

void write_table(Results& results, const tasks::ModelInfo& info, const std::vector<Measured>& all) {
  results.line(fmt::format("{:<9} {:>5} {:>10} {:>10} {:>10} {:>10} {:>11} {:>9} {:>10} {:>10} {:>10}", "precision",
                           "batch", "fastest", "median", "95 %", "99 %", "pictures/s", "GFLOP/s", "first call", "load",
                           "memory"));
  for (const auto& m : all) {
    const auto& r = m.result;
    if (!r.error.empty()) {
      results.line(fmt::format("{:<9} {:>5} could not be measured: {}", m.precision, m.batch, r.error));
      continue;
    }
    results.line(fmt::format("{:<9} {:>5} {:>10} {:>10} {:>10} {:>10} {:>11.1f} {:>9.1f} {:>10} {:>10} {:>10}",
                             m.precision, m.batch, duration(r.at(0)), duration(r.at(0.5)), duration(r.at(0.95)),
                             duration(r.at(0.99)), m.pictures_per_second(), m.gflops(info.macs),
                             duration(r.first_seconds), duration(r.load_seconds), format_bytes(r.peak_memory)));
  }
}

void write_text(Results& results, const std::string& name, int threads, const tasks::ModelInfo& info,
                const std::vector<Measured>& all) {
  results.line(fmt::format("{}: {} parameters, {:.2f} GFLOP a picture of {}; {}, threads: {}, kernels: {}", name,
                           with_thousands(info.parameters), 2e-9 * static_cast<double>(info.macs),
                           to_string(info.input_shape), cpu_info().brand, threads, isa_name(chosen_isa())));
  write_table(results, info, all);
  results.line("The network alone, on random pixels; memory: the peak of a process of its own, LibTorch included.");
}

Json as_json(const Measured& m, const tasks::ModelInfo& info) {
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
               {"gflops", m.gflops(info.macs)},
               {"first_seconds", r.first_seconds},
               {"load_seconds", r.load_seconds},
               {"peak_memory", r.peak_memory}});
  return json;
}

}  // namespace

int bench(const Options& options) {
  const auto source = model_source(options);
  const auto info = tasks::describe_model(source);
  Results results(options.out);
  const auto all = measure_all(options, source);
  const int threads = at::get_num_threads();
  if (options.json) {
    Json json = {{"model", options.model},
                 {"parameters", info.parameters},
                 {"flops", 2 * info.macs},
                 {"processor", cpu_info().brand},
                 {"kernels", std::string(isa_name(chosen_isa()))},
                 {"threads", threads},
                 {"measurements", Json::array()}};
    for (const auto& m : all) json["measurements"].push_back(as_json(m, info));
    results.line(json_line(json));
  } else {
    write_text(results, options.model, threads, info, all);
  }
  results.close();
  if (stop_requested()) return exit_interrupted;
  const auto failed = std::ranges::any_of(all, [](const Measured& m) { return !m.result.error.empty(); });
  return failed ? exit_some_failed : 0;
}

}  // namespace nunchi::cli
