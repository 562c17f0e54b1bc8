#include "cli/eval_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cli/commands.h"
#include "core/csv.h"

namespace nunchi::cli {

std::string model_in_words(const EvalReport& report, const PageWords& say) {
  const auto& model = report.model;
  const auto& tta = report.options.tta;
  const auto about = say("{}, {} parameters, {}", model.type(), with_thousands(model.parameters()),
                         tasks::precision_name(model.precision()));
  return fmt::format("{} ({}{})", report.options.model, about,
                     tta.empty() ? "" : say(", the mean over views: {}", tta));
}

std::string dataset_in_words(const EvalReport& report, const PageWords& say) {
  const auto& dataset = report.dataset;
  return say("{} ({}{}), {} pictures, {} classes", report.options.inputs.front(), dataset.layout,
             dataset.split.empty() ? "" : ", " + dataset.split,
             with_thousands(static_cast<std::int64_t>(dataset.samples.size())), dataset.classes.size());
}

std::string first_word(const std::string& label) { return label.substr(0, label.find(',')); }

std::string class_in_words(const EvalReport& report, std::int64_t id, const PageWords& say) {
  const auto& name = report.name_of(id);
  const auto& classes = report.mapping.classes[static_cast<std::size_t>(id)];
  if (classes.size() != 1) return say("{} ({} classes of the model)", name, classes.size());
  const auto& label = report.labels[static_cast<std::size_t>(classes.front())];
  return tasks::same_label(label, name) ? name : fmt::format("{} = {}", name, first_word(label));
}

std::vector<std::int64_t> confusion_columns(const EvalReport& report) {
  std::vector<std::int64_t> ids;
  for (const auto& score : report.result.classes) ids.push_back(score.id);
  for (const auto id : report.result.confusion.predicted_classes())
    if (std::cmp_greater_equal(id, report.result.classes.size())) ids.push_back(id);
  return ids;
}

namespace {

using metrics::ClassScore;
using metrics::Proportion;

constexpr std::size_t most_rows = 50;   // of the table of classes; more are shortened to
constexpr std::size_t worst_rows = 20;  // the least accurate
constexpr std::size_t most_confusions = 10;

double rate(const EvalReport& report) {
  return report.seconds > 0 ? static_cast<double>(report.result.top1.total) / report.seconds : 0;
}

// --- text

void line(Results& results, const std::string& name, const std::string& text) {
  results.line(fmt::format("{:<13}{}", name, text));
}

std::string in_words(const Proportion& share) {
  return fmt::format("{:6.2f} %   {} of {}, 95 % interval {:.2f} to {:.2f}", 100 * share.value,
                     with_thousands(share.hits), with_thousands(share.total), 100 * share.low, 100 * share.high);
}

void write_summary(Results& results, const EvalReport& report) {
  const auto& result = report.result;
  line(results, "model", model_in_words(report));
  line(results, "dataset", dataset_in_words(report));
  if (report.stopped) {
    line(results, "PARTIAL",
         fmt::format("stopped after {} of {} pictures", with_thousands(result.top1.total),
                     with_thousands(report.wanted)));
  }
  if (!report.failures.empty()) {
    line(results, "failed", fmt::format("{} pictures could not be read and do not count", report.failures.size()));
  }
  line(results, "top-1", in_words(result.top1));
  if (std::cmp_less(result.k, result.names.size()))
    line(results, fmt::format("top-{}", result.k), in_words(result.top_k));
  line(results, "mean",
       fmt::format("precision {:.4f}, recall {:.4f}, F1 {:.4f} (over the classes)", result.macro.precision,
                   result.macro.recall, result.macro.f1));
  line(results, "calibration",
       fmt::format("ECE {:.4f}, MCE {:.4f} ({} bins), Brier {:.4f}, NLL {:.4f}", result.calibration.expected_error,
                   result.calibration.maximum_error, result.calibration.bins.size(), result.calibration.brier,
                   result.calibration.negative_log_likelihood));
  line(results, "speed",
       fmt::format("{:.1f} images/s, {} (the model was loaded in {:.2f} s)", rate(report),
                   format_duration(report.seconds), report.load_seconds));
}

void write_classes(Results& results, const EvalReport& report) {
  auto scores = report.result.classes;
  std::erase_if(scores, [&](const ClassScore& score) {
    return report.mapping.classes[static_cast<std::size_t>(score.id)].empty();
  });
  const bool shortened = scores.size() > most_rows && !report.options.verbose;
  const auto all = scores.size();
  if (shortened) {
    std::ranges::stable_sort(scores, {}, &ClassScore::f1);
    scores.resize(worst_rows);
  }
  results.line("");
  results.line(fmt::format(
      "{:>9} {:>10} {:>8} {:>8}   class{}", "pictures", "precision", "recall", "F1",
      shortened ? fmt::format(" (the {} least accurate of {}; --verbose or -o: all)", worst_rows, all) : ""));
  for (const auto& score : scores) {
    results.line(fmt::format("{:>9} {:>10.4f} {:>8.4f} {:>8.4f}   {}", with_thousands(score.support), score.precision,
                             score.recall, score.f1, class_in_words(report, score.id)));
  }
}

void write_confusions(Results& results, const EvalReport& report) {
  const auto confusions = report.result.confusion.most_frequent(most_confusions);
  if (confusions.empty()) return;
  results.line("");
  results.line("most frequent confusions");
  for (const auto& confusion : confusions) {
    results.line(fmt::format("{:>9}   {} taken for {}", with_thousands(confusion.count),
                             report.name_of(confusion.truth), first_word(report.name_of(confusion.predicted))));
  }
}

// --- for other programs

Json as_json(const Proportion& share) {
  return {
      {"value", share.value}, {"low", share.low}, {"high", share.high}, {"hits", share.hits}, {"total", share.total}};
}

Json as_json(const metrics::Averages& averages) {
  return {{"precision", averages.precision}, {"recall", averages.recall}, {"f1", averages.f1}};
}

Json as_json(const metrics::Calibration& calibration) {
  Json bins = Json::array();
  for (const auto& bin : calibration.bins) {
    bins.push_back({{"low", bin.low},
                    {"high", bin.high},
                    {"count", bin.count},
                    {"confidence", bin.confidence},
                    {"accuracy", bin.accuracy}});
  }
  return {{"expected_error", calibration.expected_error},
          {"maximum_error", calibration.maximum_error},
          {"brier", calibration.brier},
          {"negative_log_likelihood", calibration.negative_log_likelihood},
          {"bins", bins}};
}

Json classes_as_json(const EvalReport& report) {
  Json classes = Json::array();
  for (const auto& score : report.result.classes) {
    Json own = Json::array();
    for (const auto id : report.mapping.classes[static_cast<std::size_t>(score.id)])
      own.push_back({{"id", id}, {"label", report.labels[static_cast<std::size_t>(id)]}});
    classes.push_back({{"name", report.name_of(score.id)},
                       {"model_classes", own},
                       {"support", score.support},
                       {"predictions", score.predictions},
                       {"hits", score.hits},
                       {"precision", score.precision},
                       {"recall", score.recall},
                       {"f1", score.f1}});
  }
  return classes;
}

Json confusion_as_json(const EvalReport& report) {
  const auto ids = confusion_columns(report);
  Json rows = Json::array(), names = Json::array(), counts = Json::array();
  for (const auto id : ids) names.push_back(report.name_of(id));
  for (const auto& score : report.result.classes) {
    rows.push_back(report.name_of(score.id));
    Json row = Json::array();
    for (const auto id : ids) row.push_back(report.result.confusion.at(score.id, id));
    counts.push_back(row);
  }
  return {{"true", rows}, {"predicted", names}, {"counts", counts}};
}

}  // namespace

void write_text(Results& results, const EvalReport& report) {
  write_summary(results, report);
  write_classes(results, report);
  write_confusions(results, report);
}

Json as_json(const EvalReport& report) {
  const auto& result = report.result;
  Json failures = Json::array();
  for (const auto& [picture, message] : report.failures) failures.push_back({{"file", picture}, {"error", message}});
  return {{"model", report.options.model},
          {"dataset", report.options.inputs.front()},
          {"layout", report.dataset.layout},
          {"split", report.dataset.split},
          {"views", report.options.tta},
          {"partial", report.stopped},
          {"pictures", result.top1.total},
          {"wanted", report.wanted},
          {"failed", failures},
          {"top1", as_json(result.top1)},
          {"k", result.k},
          {"top_k", as_json(result.top_k)},
          {"macro", as_json(result.macro)},
          {"weighted", as_json(result.weighted)},
          {"calibration", as_json(result.calibration)},
          {"seconds", report.seconds},
          {"images_per_second", rate(report)},
          {"load_seconds", report.load_seconds},
          {"classes", classes_as_json(report)},
          {"confusion", confusion_as_json(report)}};
}

std::string as_csv(const EvalReport& report) {
  const auto ids = confusion_columns(report);
  std::string text = "class,support,predictions,hits,precision,recall,f1";
  for (const auto id : ids) text += "," + csv_field("predicted: " + report.name_of(id));
  text += "\n";
  for (const auto& score : report.result.classes) {
    text += fmt::format("{},{},{},{},{:.6f},{:.6f},{:.6f}", csv_field(report.name_of(score.id)), score.support,
                        score.predictions, score.hits, score.precision, score.recall, score.f1);
    for (const auto id : ids) text += fmt::format(",{}", report.result.confusion.at(score.id, id));
    text += "\n";
  }
  return text;
}

}  // namespace nunchi::cli
