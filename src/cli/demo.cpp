#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <unistd.h>

#include <iostream>

#include "cli/commands.h"
#include "cli/demo_model.h"
#include "cli/demo_report.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/memory_file.h"
#include "core/process_time.h"
#include "remote/hub.h"
#include "tasks/bundled_models.h"

namespace nunchi::cli {
namespace {

std::vector<tasks::DemoInput> inputs_of(const Options& options, std::int64_t& failed) {
  if (options.inputs.empty()) return tasks::bundled_photos();
  const auto pictures = find_pictures(options);
  failed += pictures.failed;
  std::vector<tasks::DemoInput> inputs;
  for (const auto& path : pictures.paths) inputs.push_back({.name = path.stem().string(), .credit = {}, .path = path});
  return inputs;
}

bool wants_the_network(const Options& options) {
  if (!options.published.empty()) return true;
  const bool can_ask = isatty(STDIN_FILENO) != 0 && isatty(STDERR_FILENO) != 0 && !options.quiet;
  if (!can_ask || remote::hub_settings().offline) return false;
  fmt::print(stderr, "Pull {} (14 MB, ImageNet's 1000 classes) from the hub and show that? [y/N] ", public_model);
  std::fflush(stderr);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

// What -m names; the public model where the user wants it and it can be had; else the bundled one.
std::string choose_model(const Options& options) {
  if (!options.model.empty()) return options.model;
  if (wants_the_network(options)) {
    try {
      remote::resolve_model_path(public_model);
      return public_model;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted) throw;
      remark(fmt::format("{}; the bundled model is shown", error.what()));
    }
  }
  return tasks::default_bundled_model();
}

// In processes of their own, and so before this one has threads.
DemoTimes measure_times(const tasks::ModelSource& source, const std::vector<tasks::DemoInput>& inputs) {
  const auto& first = inputs.front();
  const auto view = first.bytes.empty() ? nullptr : std::make_unique<MemoryFile>(first.bytes, first.name);
  constexpr std::size_t enough = 4;  // some of the user's own may be broken
  std::vector<std::filesystem::path> paths;
  if (view) paths.push_back(view->path());
  for (const auto& input : inputs)
    if (input.bytes.empty() && paths.size() < enough) paths.push_back(input.path);
  DemoTimes times;
  times.fp32 = tasks::measure(source, nn::Precision::fp32, paths, {.rounds_until = 20});
  times.bf16 = tasks::measure(source, nn::Precision::bf16, paths, {.rounds_until = 20});
  return times;
}

// Convolutions and windows have no attention maps: those of the bundled transformer are shown.
void add_attention(DemoReport& report, const std::vector<tasks::DemoInput>& inputs, const Options& options) {
  if (!report.run.pictures.front().attention.empty()) return;
  report.attention_model = tasks::default_bundled_model();
  const tasks::VisionModel model({.path = report.attention_model});
  report.attention_run = tasks::run_demo(model, inputs, decode_options(options));
}

void print_answers(Results& results, const DemoReport& report) {
  results.line(fmt::format("{} ({} parameters)", report.model, with_thousands(report.parameters)));
  std::size_t width = 0;
  for (const auto& picture : report.run.pictures) width = std::max(width, picture.name.size());
  for (const auto& picture : report.run.pictures) {
    if (picture.answers.empty()) continue;
    results.line(fmt::format("  {:<{}}  {:6.2f} %  {}", picture.name, width, 100 * picture.answers.front().probability,
                             picture.answers.front().label));
  }
}

void print_times(Results& results, const DemoTimes& times) {
  if (!succeeded(times.fp32)) return;
  std::string line = fmt::format("one picture: {} fp32", milliseconds(times.fp32.median_seconds()));
  if (succeeded(times.bf16)) line += fmt::format(", {} bf16", milliseconds(times.bf16.median_seconds()));
  results.line(fmt::format("{} (threads: {}); {} peak memory; started in {:.2f} s", line, times.threads,
                           format_bytes(times.fp32.peak_memory), times.start_up));
}

void print_next(Results& results, const std::string& path) {
  results.line(fmt::format("report: {} (open it in a browser)", path));
  results.line("");
  results.line("Next, with a photo of your own and real checkpoints:");
  for (const auto& [purpose, command] : next_steps()) results.line(fmt::format("  {:<58} # {}", command, purpose));
}

}  // namespace

int demo(const Options& options) {
  const double start_up = seconds_since_process_start();
  const std::string path = options.out.empty() ? "nunchi-demo.html" : options.out;
  check_place(path);
  std::int64_t failed = 0;
  const auto inputs = inputs_of(options, failed);
  auto source = model_source(options);
  source.path = choose_model(options);
  const auto precision = precision_of(options, source);
  auto times = measure_times(source, inputs);
  times.start_up = start_up;
  times.threads = at::get_num_threads();

  const tasks::VisionModel model(source, precision);
  keep_freed_memory();
  DemoReport report{.model = source.path.string(),
                    .labels = model.network().classes() > 0 ? model.labels() : std::vector<std::string>{},
                    .parameters = model.parameters(),
                    .run = tasks::run_demo(model, inputs, decode_options(options)),
                    .times = std::move(times)};
  for (const auto& failure : report.run.failures) remark(failure);
  failed += std::ssize(report.run.failures);
  if (report.run.pictures.empty()) throw Error(ErrorKind::input, "no picture could be read: there is nothing to show");
  add_attention(report, inputs, options);
  write_file(path, demo_html(report, PageWords(options.language)));

  Results results("");
  print_answers(results, report);
  print_times(results, report.times);
  print_next(results, path);
  return failed > 0 ? exit_some_failed : 0;
}

}  // namespace nunchi::cli
