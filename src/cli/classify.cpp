#include "tasks/classify.h"

#include <fmt/format.h>

#include "cli/commands.h"

namespace nunchi::cli {
namespace {

using tasks::Prediction;

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

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

}  // namespace

int classify(const Options& options) {
  const auto pictures = find_pictures(options);
  const auto model = open_model(options);
  tasks::require_classifier(model);
  const std::int64_t count = options.top > 0 ? options.top : pictures.paths.size() == 1 ? 5 : 1;
  std::size_t width = 0;
  for (const auto& path : pictures.paths) width = std::max(width, path.string().size());

  Results results(options.out);
  if (options.csv) results.line("file,rank,id,label,probability");
  const int code = run_pictures(options, model, pictures, [&](const Step& step) {
    for (const auto& failure : step.batch.failures) {
      const auto file = step.paths[failure.index].string();
      if (options.json) results.line(json_line({{"file", file}, {"error", failure.message}}));
    }
    if (step.batch.indices.empty()) return;
    const auto answers = tasks::top_predictions(model, step.output.logits, count);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const auto file = step.paths[step.batch.indices[i]].string();
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
