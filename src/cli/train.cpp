#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/training_curve.h"
#include "core/memory.h"
#include "core/yaml.h"
#include "train/trainer.h"

namespace nunchi::cli {
namespace {

namespace fs = std::filesystem;

fs::path run_folder(const Options& options) {
  return options.out.empty() ? fs::path("runs") / fs::path(options.inputs.front()).stem() : fs::path(options.out);
}

std::string percent(double share) { return fmt::format("{:.2f} %", 100 * share); }

std::string in_words(const train::EpochResult& result) {
  auto text = fmt::format("epoch {}: loss {:.4f}, accuracy {}", result.epoch, result.loss, percent(result.accuracy));
  if (const auto& v = result.validation) {
    text += fmt::format("; validation loss {:.4f}, top-1 {}, top-5 {}", v->loss, percent(v->top1), percent(v->top5));
  }
  return text;
}

std::string note(const train::StepReport& report) {
  return fmt::format("  epoch {}/{}  loss {:.4f}  accuracy {:.1f} %", report.position.epoch + 1, report.epochs,
                     report.epoch.mean_loss(), 100 * report.epoch.accuracy());
}

Json as_json(const train::TrainResult& result, const fs::path& run) {
  Json json = {{"run", run.string()},
               {"stopped", result.stopped},
               {"epoch", result.position.epoch},
               {"step", result.position.step},
               {"seconds", result.seconds}};
  if (result.last) json["last"] = to_json(*result.last);
  if (result.best) json["best"] = to_json(*result.best);
  return json;
}

void tell_end(const Options& options, const train::TrainResult& result, const fs::path& run) {
  Results results("");
  if (options.json) return results.line(json_line(as_json(result, run)));
  if (result.stopped) return;
  results.line(fmt::format("{}: {}", (run / "model").string(), in_words(result.best ? *result.best : *result.last)));
}

std::string command_line(const Options& options) {
  std::string line = "nunchi train";
  for (const auto& word : options.inputs) line += " " + word;
  return options.out.empty() ? line : line + " -o " + options.out;
}

// A machine that cannot draw has its model all the same.
void try_to_draw(const fs::path& run, const std::function<void(const std::string&)>& tell) {
  try {
    draw_training_curve(run);
  } catch (const Error& error) {
    tell(fmt::format("no curve.png: {}", error.what()));
  }
}

}  // namespace

int train(const Options& options) {
  const auto recipe = train::read_recipe(options.inputs.front(), {options.inputs.begin() + 1, options.inputs.end()});
  const auto run = run_folder(options);
  ProgressLine progress("train", "images", options.quiet);
  const auto tell = [&](const std::string& text) {
    progress.clear();
    if (!options.quiet) remark(text);
  };
  const auto result = train::train(
      recipe,
      {.run = run,
       .device = device_named(options.device),
       .resume = options.resume    ? train::Resume::required
                 : options.restart ? train::Resume::never
                                   : train::Resume::when_there,
       .on_step = [&](const train::StepReport& report) { progress.show(report.done, report.total, note(report)); },
       .on_epoch = [&](const train::EpochResult& epoch) { tell(in_words(epoch)); },
       .on_remark = tell});
  progress.clear();
  if (result.last) try_to_draw(run, tell);
  tell_end(options, result, run);
  if (!result.stopped) return 0;
  remark(fmt::format("stopped after step {}, and saved; to go on: {}", result.position.step, command_line(options)));
  return exit_interrupted;
}

}  // namespace nunchi::cli
