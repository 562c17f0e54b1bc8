// cli/eval_report.h: how `eval` tells what it measured.
#pragma once

#include "cli/options.h"
#include "cli/page_words.h"
#include "cli/terminal.h"
#include "core/json.h"
#include "data/dataset.h"
#include "draw/drawing.h"
#include "tasks/evaluate.h"
#include "tasks/vision_model.h"

namespace nunchi::cli {

struct EvalReport {
  const Options& options;
  const data::Dataset& dataset;
  const tasks::ClassMapping& mapping;
  const tasks::VisionModel& model;         // the first, where several answer together
  const std::vector<std::string>& labels;  // its own
  tasks::EvaluationResult result;
  std::vector<std::pair<std::string, std::string>> failures;  // picture, message
  std::int64_t wanted = 0;                                    // pictures, of which result.top1.total are done
  bool stopped = false;
  double load_seconds = 0, seconds = 0;

  const std::string& name_of(std::int64_t id) const { return result.names[static_cast<std::size_t>(id)]; }
};

void write_text(Results& results, const EvalReport& report);
Json as_json(const EvalReport& report);
// A row per class of the dataset: its scores, then its line of the confusion matrix.
std::string as_csv(const EvalReport& report);
// Accuracy, classes, confusions and calibration as one HTML file, in the language of the report's options.
std::string eval_page(const EvalReport& report);
// The page's charts: the scores of the classes and the calibration, and the confusions where they are readable.
std::vector<draw::Drawing> eval_sheets(const EvalReport& report);

// --- shared by them

std::string model_in_words(const EvalReport& report, const PageWords& say = PageWords());
std::string dataset_in_words(const EvalReport& report, const PageWords& say = PageWords());
// "tabby" or, where the model calls it otherwise, "n02123045 = tabby".
std::string class_in_words(const EvalReport& report, std::int64_t id, const PageWords& say = PageWords());
std::string first_word(const std::string& label);  // without the synonyms that follow
// The dataset's classes, then the others that were predicted.
std::vector<std::int64_t> confusion_columns(const EvalReport& report);

}  // namespace nunchi::cli
