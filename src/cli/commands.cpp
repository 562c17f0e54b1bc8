#include "cli/commands.h"

#include <fmt/format.h>

#include "core/file.h"
#include "core/interrupt.h"
#include "core/isa.h"

namespace nunchi::cli {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> pictures_of(const fs::path& folder, const Options& options) {
  const auto found = list_files(folder, {.accept = image::looks_like_picture,
                                         .recursive = options.recursive,
                                         .on_unreadable = [](const std::string& message) { remark(message); }});
  if (found.empty()) {
    throw Error(ErrorKind::input, fmt::format("{}: no pictures in this folder{}", folder.string(),
                                              options.recursive ? "" : " (with --recursive, those below it count too)"));
  }
  return found;
}

std::vector<fs::path> expand(const std::string& input, const Options& options) {
  if (fs::is_directory(input)) return pictures_of(input, options);
  if (fs::exists(input)) return {input};
  const auto matches = glob(input);
  if (!matches.empty()) return matches;
  return {input};  // its own error comes when it is read, beside the answers for the others
}

}  // namespace

tasks::VisionModel open_model(const Options& options) {
  if (options.device != "auto" && options.device != "cpu") {
    throw Error(ErrorKind::usage, fmt::format("--device {}: nunchi runs on the CPU so far; use auto or cpu", options.device));
  }
  if (options.model.empty()) {
    throw Error(ErrorKind::usage, "a model is needed: a folder with config.json and model.safetensors, first or after -m");
  }
  if (fs::is_regular_file(options.model) && image::looks_like_picture(options.model)) {
    throw Error(ErrorKind::usage, fmt::format("{}: expected a model first, found a picture (nunchi bundles no model yet): "
                                              "nunchi {} MODEL {}",
                                              options.model, options.command, options.model));
  }
  return tasks::VisionModel(options.model, {.precision = tasks::precision_from_name(options.precision), .arch = options.arch});
}

std::vector<fs::path> picture_paths(const Options& options) {
  if (options.inputs.empty()) throw Error(ErrorKind::usage, "no pictures are named: give files, folders or globs after the model");
  std::vector<fs::path> paths;
  for (const auto& input : options.inputs) {
    const auto expanded = expand(input, options);
    paths.insert(paths.end(), expanded.begin(), expanded.end());
  }
  return paths;
}

int run_pictures(const Options& options, const tasks::VisionModel& model, const std::vector<fs::path>& paths,
                 const std::function<void(const Step&)>& step) {
  tasks::PictureLoader loader(paths, model.transform(),
                              {.batch = options.batch,
                               .threads = cpu_info().logical_cores,
                               .decode = {.apply_exif_orientation = !options.no_exif, .max_pixels = options.max_pixels}});
  ProgressLine progress(options.command, "images", options.quiet || paths.size() < 2);
  const auto total = static_cast<std::int64_t>(paths.size());
  std::int64_t done = 0, failed = 0;
  while (done < total) {
    if (stop_requested()) {
      progress.clear();
      remark(fmt::format("stopped; {} of {} pictures are done", done, total));
      return exit_interrupted;
    }
    const auto batch = *loader.next();
    progress.clear();
    for (const auto& failure : batch.failures) remark(failure.message);
    step({batch, paths, batch.indices.empty() ? models::ModelOutput{} : model.forward(batch.pixels)});
    failed += static_cast<std::int64_t>(batch.failures.size());
    done += static_cast<std::int64_t>(batch.indices.size() + batch.failures.size());
    progress.show(done, total);
  }
  return failed > 0 ? exit_some_failed : 0;
}

std::string with_thousands(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > (number < 0 ? 1 : 0); i -= 3) {
    digits.insert(static_cast<std::size_t>(i), ",");
  }
  return digits;
}

std::string json_line(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace nunchi::cli
