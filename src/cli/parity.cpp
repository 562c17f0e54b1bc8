#include "tasks/parity.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "cli/commands.h"
#include "core/interrupt.h"
#include "tasks/published.h"

namespace nunchi::cli {
namespace {

namespace fs = std::filesystem;

// A case itself, or all cases of a folder of cases.
std::vector<fs::path> case_folders(const Options& options) {
  std::vector<fs::path> cases;
  for (const auto& input : options.inputs) {
    std::error_code error;
    if (fs::exists(fs::path(input) / "case.json", error) || !fs::is_directory(input, error)) {
      cases.emplace_back(input);
      continue;
    }
    const auto before = cases.size();
    for (const auto& entry : fs::directory_iterator(input, error)) {
      if (fs::exists(entry.path() / "case.json", error)) cases.push_back(entry.path());
    }
    std::sort(cases.begin() + static_cast<std::ptrdiff_t>(before), cases.end());
    if (cases.size() == before) throw Error(ErrorKind::input, fmt::format("{}: no cases in this folder", input));
  }
  return cases;
}

void write_table(Results& results, const tasks::ParityResult& result) {
  results.line(fmt::format("{}  ({})", result.name, result.peer));
  for (const auto& stage : result.stages) {
    const auto numbers =
        stage.remark.empty() ? fmt::format("{:10.2e}  {:10.2e}", stage.max_absolute, stage.max_relative) : stage.remark;
    results.line(fmt::format("  {} {:<20}  {}{}", stage.passed ? "ok  " : "FAIL", stage.name, numbers,
                             stage.required ? "" : "  (not required)"));
  }
  if (const auto* stage = result.first_failure())
    results.line(fmt::format("  first stage that fails: {}", stage->name));
}

void write_json(Results& results, const tasks::ParityResult& result) {
  Json line = {{"case", result.name}, {"peer", result.peer}, {"passed", result.passed()}, {"stages", Json::array()}};
  for (const auto& stage : result.stages) {
    line["stages"].push_back({{"name", stage.name},
                              {"passed", stage.passed},
                              {"required", stage.required},
                              {"max_absolute", stage.max_absolute},
                              {"max_relative", stage.max_relative},
                              {"remark", stage.remark}});
  }
  results.line(json_line(line));
}

using Run = std::function<tasks::ParityResult()>;

// All that the command line names, each to be run when its turn comes.
std::vector<Run> runs(const Options& options, nn::Precision precision, at::Device device) {
  std::vector<Run> all;
  for (const auto& folder : case_folders(options))
    all.push_back([=] { return tasks::run_case(folder, precision, device); });
  if (options.published.empty()) return all;
  const auto figures =
      options.figures.empty() ? tasks::published_figures() : tasks::read_published_figures(options.figures);
  for (const auto& name : options.published) {
    all.push_back(
        [=, image = options.images.front()] { return tasks::run_published(figures, name, image, precision, device); });
  }
  return all;
}

}  // namespace

int parity(const Options& options) {
  Results results(options.out);
  int failed = 0, done = 0;
  const auto precision = tasks::precision_from_name(options.precision.empty() ? "fp32" : options.precision);
  const auto device = exact_device_named(options.device, precision == nn::Precision::int8);
  for (const auto& run : runs(options, precision, device)) {
    throw_if_stopped();
    ++done;
    try {
      const auto result = run();
      options.json ? write_json(results, result) : write_table(results, result);
      failed += !result.passed();
    } catch (const Error& error) {
      ++failed;
      remark(error.what());
    }
  }
  if (!options.quiet) remark(fmt::format("{} of {} cases agree with their peer", done - failed, done));
  return failed > 0 ? exit_some_failed : 0;
}

}  // namespace nunchi::cli
