#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/eval_report.h"
#include "cli/samples.h"
#include "core/file.h"
#include "core/timing.h"

namespace nunchi::cli {
namespace {

tasks::PictureInputs sample_inputs(const tasks::Classifier& classifier, const data::Dataset& dataset,
                                   const std::vector<std::size_t>& samples, const image::DecodeOptions& decode) {
  return {.count = samples.size(),
          .name = [&](std::size_t index) { return dataset.samples[samples[index]].name; },
          .load =
              [&, decode](std::size_t index) {
                return classifier.prepare([&](bool turn) {
                  return dataset.picture(samples[index],
                                         {.apply_exif_orientation = turn && decode.apply_exif_orientation,
                                          .max_pixels = decode.max_pixels});
                });
              }};
}

void write_report(const EvalReport& report) {
  const auto& options = report.options;
  Results results("");
  if (options.json)
    results.line(json_line(as_json(report)));
  else
    write_text(results, report);
  if (options.out.empty()) return;
  if (options.out.ends_with(".html"))
    write_file(options.out, eval_page(report));
  else if (options.out.ends_with(".pdf"))
    draw::write_pdf(options.out, eval_sheets(report));
  else
    write_file(options.out, options.out.ends_with(".csv") ? as_csv(report) : json_line(as_json(report)) + "\n");
  if (!options.quiet) remark(fmt::format("{}: written", options.out));
}

}  // namespace

int eval(const Options& options) {
  if (!options.out.empty()) check_place(options.out);
  const auto dataset = data::open_dataset(options.inputs.front(), {.split = options.split});
  const auto load_start = Clock::now();
  const auto classifier = open_classifier(options);
  const double load_seconds = seconds_since(load_start);
  const auto mapping =
      tasks::map_classes(classifier.labels(), dataset.classes,
                         options.map.empty() ? std::nullopt : std::optional<std::filesystem::path>(options.map));
  if (!options.quiet)
    for (const auto& assumed : mapping.remarks) remark(assumed);
  const auto samples = choose_samples(dataset, mapping, options.limit);
  if (samples.empty())
    throw Error(ErrorKind::usage, fmt::format("{}: every class is left out by --map", options.inputs.front()));

  EvalReport report{.options = options,
                    .dataset = dataset,
                    .mapping = mapping,
                    .model = classifier.models().front(),
                    .labels = classifier.labels(),
                    .wanted = static_cast<std::int64_t>(samples.size()),
                    .load_seconds = load_seconds};
  tasks::Evaluation evaluation(dataset.classes, classifier.labels(), mapping, options.top > 0 ? options.top : 5);
  const auto start = Clock::now();
  const auto inputs = sample_inputs(classifier, dataset, samples, decode_options(options));
  const int code = run_batches(options, inputs, 0, [&](const tasks::Batch& batch) {
    for (const auto& failure : batch.failures)
      report.failures.emplace_back(dataset.samples[samples[failure.index]].name, failure.message);
    if (batch.indices.empty()) return;
    std::vector<std::int64_t> truths;
    for (const auto index : batch.indices) truths.push_back(dataset.samples[samples[index]].label);
    evaluation.add(classifier.probabilities(batch.views), truths);
  });
  report.seconds = seconds_since(start);
  report.stopped = code == exit_interrupted;
  report.result = evaluation.result();
  if (report.result.top1.total > 0) write_report(report);
  return code;
}

}  // namespace nunchi::cli
