#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "cli/bench_run.h"
#include "cli/commands.h"
#include "cli/short_duration.h"
#include "core/interrupt.h"
#include "core/progress.h"
#include "tasks/largest_batch.h"

namespace nunchi::cli {
namespace {

struct Suggestion {
  std::string precision, error;  // error: the model cannot be run at all
  tasks::LargestBatch found;
  tasks::BenchResult result;  // of the batch that is suggested

  double pictures_per_second() const { return Measured{precision, found.batch, result}.pictures_per_second(); }
};

void stop_if_asked(const tasks::BenchResult& result) {
  if (stop_requested() || result.stopped) throw Error(ErrorKind::interrupted, "stopped: no batch is suggested");
}

Suggestion suggest(const Options& options, const std::string& precision, std::uint64_t limit, ProgressLine& progress) {
  Suggestion suggestion{.precision = precision};
  const auto measure = [&](std::int64_t batch, const tasks::BenchOptions& how) {
    progress.show(std::ssize(suggestion.found.trials), 0, fmt::format("{}, batch {}", precision, batch));
    auto result =
        tasks::bench(model_source(options), {.precision = tasks::precision_from_name(precision), .batch = batch}, how);
    stop_if_asked(result);
    return result;
  };
  const auto memory_of = [&](std::int64_t batch) -> std::optional<std::uint64_t> {
    const auto result = measure(batch, {.seconds = 0, .least = 1, .warm_ups = 0});
    if (batch == 1) suggestion.error = result.error;
    if (!result.error.empty()) return std::nullopt;
    return result.peak_memory;
  };
  suggestion.found = tasks::find_largest_batch({.limit = limit, .most = options.max_batch}, memory_of);
  // More calls may need a little more than the two of a trial.
  for (auto& batch = suggestion.found.batch; batch > 0; --batch) {
    suggestion.result = measure(batch, {.seconds = options.seconds, .least = 3, .warm_ups = 0});
    if (suggestion.result.error.empty() && suggestion.result.peak_memory <= limit) break;
  }
  return suggestion;
}

// "129 takes 2.0 GB", "--max-batch is 256".
std::string why_no_more(const Suggestion& suggestion, std::int64_t most, std::uint64_t limit) {
  const auto batch = suggestion.found.batch;
  if (batch == most) return fmt::format("--max-batch is {}", most);
  for (const auto& trial : suggestion.found.trials) {
    if (trial.batch != batch + 1) continue;
    if (!trial.memory) return fmt::format("{} fails", trial.batch);
    if (*trial.memory > limit) return fmt::format("{} takes {}", trial.batch, format_bytes(*trial.memory));
  }
  return fmt::format("{} takes more after some calls", batch + 1);
}

void write_text(Results& results, const Options& options, std::uint64_t limit, const std::vector<Suggestion>& all) {
  results.line(fmt::format("{}: the largest batch within {} ({}), threads: {}", options.model, format_bytes(limit),
                           options.memory ? "--memory" : "free now", at::get_num_threads()));
  results.line(fmt::format("{:<9} {:>5} {:>10} {:>11} {:>10}  {}", "precision", "batch", "memory", "pictures/s",
                           "median", "the next one"));
  for (const auto& each : all) {
    if (!each.error.empty()) {
      results.line(fmt::format("{:<9} could not be measured: {}", each.precision, each.error));
    } else if (each.found.batch == 0) {
      results.line(fmt::format("{:<9} not even one picture fits: {}", each.precision,
                               why_no_more(each, options.max_batch, limit)));
    } else {
      results.line(fmt::format("{:<9} {:>5} {:>10} {:>11.1f} {:>10}  {}", each.precision, each.found.batch,
                               format_bytes(each.result.peak_memory), each.pictures_per_second(),
                               short_duration(each.result.at(0.5)), why_no_more(each, options.max_batch, limit)));
    }
  }
  results.line("Memory: the peak of a process of its own, LibTorch included, measured for every batch that was tried.");
}

Json as_json(const Suggestion& suggestion) {
  if (!suggestion.error.empty()) return {{"precision", suggestion.precision}, {"error", suggestion.error}};
  Json json = {{"precision", suggestion.precision}, {"batch", suggestion.found.batch}, {"trials", Json::array()}};
  if (suggestion.found.batch > 0) {
    json.update({{"peak_memory", suggestion.result.peak_memory},
                 {"median_seconds", suggestion.result.at(0.5)},
                 {"pictures_per_second", suggestion.pictures_per_second()}});
  }
  for (const auto& trial : suggestion.found.trials)
    json["trials"].push_back({{"batch", trial.batch}, {"peak_memory", trial.memory ? Json(*trial.memory) : Json()}});
  return json;
}

}  // namespace

int suggest_batch(const Options& options) {
  const auto limit = options.memory.value_or(memory_info().available);
  tasks::describe_model(model_source(options));  // a model that cannot be read is told at once
  Results results(options.out);
  std::vector<Suggestion> all;
  {
    ProgressLine progress("bench", "trials", options.quiet);
    for (const auto& precision : options.precisions) all.push_back(suggest(options, precision, limit, progress));
  }
  if (options.json) {
    Json json = {
        {"model", options.model}, {"limit", limit}, {"most", options.max_batch}, {"suggestions", Json::array()}};
    for (const auto& each : all) json["suggestions"].push_back(as_json(each));
    results.line(json_line(json));
  } else {
    write_text(results, options, limit, all);
  }
  results.close();
  const auto has_none = [](const Suggestion& each) { return each.found.batch == 0; };
  return std::ranges::any_of(all, has_none) ? exit_some_failed : 0;
}

}  // namespace nunchi::cli
