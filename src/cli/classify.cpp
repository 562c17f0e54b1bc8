#include "tasks/classify.h"

#include <fmt/format.h>

#include "cli/commands.h"
#include "core/csv.h"

namespace nunchi::cli {
namespace {

using tasks::Prediction;

void write_json(Results& results, const std::string& file, const std::vector<Prediction>& answers) {
  Json line = {{"file", file}, {"predictions", Json::array()}};
  for (const auto& answer : answers) {
    line["predictions"].push_back({{"id", answer.id}, {"label", answer.label}, {"probability", answer.probability}});
  }
  results.line(json_line(line));
}

void write_csv(Results& results, const std::string& file, const std::vector<Prediction>& answers) {
  for (std::size_t i = 0; i < answers.size(); ++i) {
    results.line(fmt::format("{},{},{},{},{:.6f}", csv_field(file), i + 1, answers[i].id, csv_field(answers[i].label),
                             answers[i].probability));
  }
}

// One answer stands on the picture's own line; several stand below it.
void write_text(Results& results, const std::string& file, const std::vector<Prediction>& answers, std::size_t width) {
  const auto words = [](const Prediction& answer) {
    return fmt::format("{:6.2f} %  {}", 100 * answer.probability, answer.label);
  };
  if (answers.size() == 1) return results.line(fmt::format("{:<{}}  {}", file, width, words(answers.front())));
  results.line(file);
  for (const auto& answer : answers) results.line("  " + words(answer));
}

tasks::PictureInputs picture_inputs(const tasks::Classifier& classifier,
                                    const std::vector<std::filesystem::path>& paths,
                                    const image::DecodeOptions& decode) {
  return {.count = paths.size(),
          .name = [&](std::size_t index) { return paths[index].string(); },
          .load =
              [&, decode](std::size_t index) {
                return classifier.prepare([&](bool turn) {
                  return image::read_picture(paths[index],
                                             {.apply_exif_orientation = turn && decode.apply_exif_orientation,
                                              .max_pixels = decode.max_pixels});
                });
              }};
}

}  // namespace

int classify(const Options& options) {
  const auto pictures = find_pictures(options);
  const auto classifier = open_classifier(options);
  const std::int64_t count = options.top > 0 ? options.top : pictures.paths.size() == 1 ? 5 : 1;
  std::size_t width = 0;
  for (const auto& path : pictures.paths) width = std::max(width, path.string().size());

  Results results(options.out);
  if (options.csv) results.line("file,rank,id,label,probability");
  const auto inputs = picture_inputs(classifier, pictures.paths, decode_options(options));
  const int code = run_batches(options, inputs, pictures.failed, [&](const tasks::Batch& batch) {
    for (const auto& failure : batch.failures) {
      const auto file = pictures.paths[failure.index].string();
      if (options.json) results.line(json_line({{"file", file}, {"error", failure.message}}));
    }
    if (batch.indices.empty()) return;
    const auto answers = tasks::most_probable(classifier.labels(), classifier.probabilities(batch.views), count);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const auto file = pictures.paths[batch.indices[i]].string();
      if (options.json)
        write_json(results, file, answers[i]);
      else if (options.csv)
        write_csv(results, file, answers[i]);
      else
        write_text(results, file, answers[i], width);
    }
  });
  results.close();
  return code;
}

}  // namespace nunchi::cli
