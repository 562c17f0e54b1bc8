#include "cli/commands.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/file.h"
#include "core/interrupt.h"
#include "core/isa.h"
#include "core/memory.h"

namespace nunchi::cli {
namespace {

namespace fs = std::filesystem;

void add_folder(Pictures& pictures, const fs::path& folder, const Options& options) {
  const auto on_unreadable = [&](const std::string& message) {
    remark(message);
    ++pictures.failed;
  };
  const auto found = list_files(
      folder, {.accept = image::looks_like_picture, .recursive = options.recursive, .on_unreadable = on_unreadable});
  if (found.empty()) {
    throw Error(ErrorKind::input,
                fmt::format("{}: no pictures in this folder{}", folder.string(),
                            options.recursive ? "" : " (with --recursive, those below it count too)"));
  }
  pictures.paths.insert(pictures.paths.end(), found.begin(), found.end());
}

void add_input(Pictures& pictures, const std::string& input, const Options& options) {
  std::error_code error;  // a name that is too long or lies in a forbidden folder is told when it is read
  if (fs::is_directory(input, error)) return add_folder(pictures, input, options);
  if (fs::exists(input, error)) return pictures.paths.emplace_back(input), void();
  const auto matches = glob(input);
  pictures.paths.insert(pictures.paths.end(), matches.begin(), matches.end());
  if (!matches.empty()) return;
  if (input.find_first_of("*?[{") != std::string::npos)
    throw Error(ErrorKind::input, fmt::format("{}: no file matches", input));
  pictures.paths.emplace_back(input);  // its own error comes when it is read, beside the answers for the others
}

}  // namespace

tasks::ModelSource model_source(const Options& options) {
  return {.path = options.model, .arch = options.arch, .classes = options.classes, .labels = options.labels};
}

tasks::VisionModel open_model(const Options& options) {
  const auto source = model_source(options);
  const auto precision = precision_of(options, source);
  tasks::VisionModel model(source, precision, device_of(options, source));
  if (options.size) model.see_at(options.size->height, options.size->width);
  keep_freed_memory();
  return model;
}

tasks::Classifier open_classifier(const Options& options) {
  tasks::ClassifierOptions how;
  if (!options.tta.empty()) how.views = tasks::views_from_names(options.tta);
  if (options.crop) how.crop = {options.crop->left, options.crop->top, options.crop->width, options.crop->height};
  how.weights = options.weights;
  std::vector<std::pair<tasks::ModelSource, std::optional<nn::Precision>>> chosen;
  for (const auto& path : options.models.empty() ? std::vector{options.model} : options.models) {
    auto source = model_source(options);
    source.path = path;
    chosen.emplace_back(source, precision_of(options, source));
  }
  std::vector<tasks::VisionModel> models;
  for (const auto& [source, precision] : chosen) models.emplace_back(source, precision, device_of(options, source));
  keep_freed_memory();
  return {std::move(models), std::move(how)};
}

std::string short_name(std::filesystem::path path) {
  if (!path.has_filename()) path = path.parent_path();
  return path.filename().string();
}

image::DecodeOptions decode_options(const Options& options) {
  return {.apply_exif_orientation = !options.no_exif, .max_pixels = options.max_pixels};
}

Pictures find_pictures(const Options& options, const std::vector<std::string>& inputs) {
  Pictures pictures;
  std::vector<std::string> problems;
  for (const auto& input : inputs) {
    try {
      add_input(pictures, input, options);
    } catch (const Error& error) {
      problems.emplace_back(error.what());
    }
  }
  if (pictures.paths.empty()) throw Error(ErrorKind::input, fmt::format("{}", fmt::join(problems, "\nnunchi: ")));
  for (const auto& problem : problems) remark(problem);
  pictures.failed += static_cast<std::int64_t>(problems.size());
  return pictures;
}

int run_batches(const Options& options, const tasks::PictureInputs& inputs, std::int64_t failed,
                const std::function<void(const tasks::Batch&)>& step) {
  tasks::PictureLoader loader(inputs, {.batch = options.batch, .threads = cpu_info().logical_cores});
  ProgressLine progress(options.command, "images", options.quiet || inputs.count < 2);
  const auto total = static_cast<std::int64_t>(inputs.count);
  std::int64_t done = 0;
  while (done < total) {
    if (stop_requested()) {
      progress.clear();
      remark(fmt::format("stopped; {} of {} pictures are done", done, total));
      return exit_interrupted;
    }
    const auto batch = *loader.next();
    progress.clear();
    for (const auto& failure : batch.failures) remark(failure.message);
    step(batch);
    failed += static_cast<std::int64_t>(batch.failures.size());
    done += static_cast<std::int64_t>(batch.indices.size() + batch.failures.size());
    progress.show(done, total);
  }
  return failed > 0 ? exit_some_failed : 0;
}

int run_pictures(const Options& options, const tasks::VisionModel& model, const Pictures& pictures,
                 const std::function<void(const Step&)>& step) {
  const auto inputs = tasks::picture_files(pictures.paths, model.transform(), decode_options(options));
  return run_batches(options, inputs, pictures.failed, [&](const tasks::Batch& batch) {
    step({batch, pictures.paths, batch.indices.empty() ? models::ModelOutput{} : model.forward(batch.pixels)});
  });
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
