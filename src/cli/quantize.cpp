#include "tasks/quantise.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/softmax.h>
#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.h"
#include "cli/samples.h"
#include "core/file.h"
#include "draw/line_chart.h"
#include "tasks/evaluate.h"

namespace nunchi::cli {
namespace {

namespace fs = std::filesystem;
using tasks::Quantised;
using tasks::QuantisedLayer;

// The pictures that choose and judge, and what counts in the judgement.
struct Calibration {
  Tensor pixels;      // [n, c, h, w]
  std::string judge;  // "top-1", "agreement" or "mean cosine"
  tasks::Score score;
};

Tensor read_all(const Options& options, const tasks::PictureInputs& inputs, std::vector<std::size_t>* read) {
  std::vector<Tensor> batches;
  const int code = run_batches(options, inputs, 0, [&](const tasks::Batch& batch) {
    if (batch.pixels.defined()) batches.push_back(batch.pixels);
    if (read) read->insert(read->end(), batch.indices.begin(), batch.indices.end());
  });
  if (code == exit_interrupted) throw Error(ErrorKind::interrupted, "stopped while the pictures were read");
  if (batches.empty()) throw Error(ErrorKind::input, fmt::format("{}: no picture could be read", options.data));
  return at::cat(batches, 0);
}

Calibration unlabelled(const Options& options, const tasks::VisionModel& model, Tensor pixels) {
  if (!options.quiet && pixels.size(0) < 32)
    remark(fmt::format("{} pictures say little of accuracy; a few hundred are better", pixels.size(0)));
  if (model.network().classes() > 0) return {std::move(pixels), "agreement", tasks::agreement};
  return {std::move(pixels), "mean cosine", tasks::mean_cosine};
}

Calibration from_pictures(const Options& options, const tasks::VisionModel& model, std::size_t limit) {
  Options words = options;
  words.inputs = {options.data};
  const auto found = find_pictures(words).paths;
  std::vector<fs::path> paths;
  for (const auto i : spread_evenly(found.size(), limit)) paths.push_back(found[i]);
  const auto inputs = tasks::picture_files(paths, model.transform(), decode_options(options));
  return unlabelled(options, model, read_all(options, inputs, nullptr));
}

// As `eval` counts.
tasks::Score top1_of(const data::Dataset& dataset, const std::vector<std::string>& labels,
                     const tasks::ClassMapping& mapping, const std::vector<std::int64_t>& truths) {
  return [=, classes = dataset.classes](const Tensor& answers, const Tensor& /*exact*/) {
    tasks::Evaluation evaluation(classes, labels, mapping, /*top=*/1);
    evaluation.add(at::softmax(answers, -1, at::kDouble), truths);
    return 100 * evaluation.result().top1.value;
  };
}

Calibration from_dataset(const Options& options, const tasks::VisionModel& model, const data::Dataset& dataset,
                         const std::optional<tasks::ClassMapping>& mapping, std::int64_t limit) {
  const tasks::ClassMapping all{.classes = std::vector<std::vector<std::int64_t>>(dataset.classes.size(), {0})};
  const auto samples = choose_samples(dataset, mapping.value_or(all), limit);
  const auto& transform = model.transform();
  const auto decode = image::decoding_for(transform, decode_options(options));
  std::vector<std::size_t> read;
  Tensor pixels = read_all(
      options,
      {.count = samples.size(),
       .name = [&](std::size_t i) { return dataset.samples[samples[i]].name; },
       .load =
           [&](std::size_t i) { return std::vector{image::apply(transform, dataset.picture(samples[i], decode))}; }},
      &read);
  if (!mapping) return unlabelled(options, model, std::move(pixels));
  std::vector<std::int64_t> truths;
  for (const auto i : read) truths.push_back(dataset.samples[samples[i]].label);
  return {std::move(pixels), "top-1", top1_of(dataset, model.labels(), *mapping, truths)};
}

// A folder of pictures without labels is no dataset.
std::optional<data::Dataset> dataset_of(const Options& options) {
  try {
    return data::open_dataset(options.data, {.split = options.split});
  } catch (const Error&) {
    std::error_code error;
    const bool holds_pictures = std::ranges::any_of(fs::directory_iterator(options.data, error), [](const auto& entry) {
      return image::looks_like_picture(entry.path());
    });
    if (!holds_pictures || !options.split.empty()) throw;
    return std::nullopt;
  }
}

// The labels count where the model's classes are the dataset's.
std::optional<tasks::ClassMapping> mapping_of(const Options& options, const tasks::VisionModel& model,
                                              const data::Dataset& dataset) {
  if (model.network().classes() == 0) return std::nullopt;
  const auto file = options.map.empty() ? std::nullopt : std::optional<fs::path>(options.map);
  try {
    return tasks::map_classes(model.labels(), dataset.classes, file);
  } catch (const Error& error) {
    if (file) throw;
    if (!options.quiet)
      remark(fmt::format("the labels of {} are not used, agreement with fp32 counts: {}", options.data, error.what()));
    return std::nullopt;
  }
}

Calibration read_calibration(const Options& options, const tasks::ModelSource& source) {
  constexpr std::int64_t usual = 256;
  const auto limit = options.limit > 0 ? options.limit : usual;
  const auto dataset = dataset_of(options);
  const tasks::VisionModel model(source, nn::Precision::fp32);
  if (!dataset) return from_pictures(options, model, static_cast<std::size_t>(limit));
  return from_dataset(options, model, *dataset, mapping_of(options, model, *dataset), limit);
}

std::string of_layer(const QuantisedLayer& layer) {
  return fmt::format("{} {}, {:.1e}{}", layer.name, to_string(layer.shape), layer.error,
                     layer.in_float ? ", stays in float" : "");
}

std::vector<QuantisedLayer> most_sensitive_first(const Quantised& q) {
  auto layers = q.layers;
  std::ranges::stable_sort(layers, std::greater(), &QuantisedLayer::error);
  return layers;
}

void write_text(Results& results, const Options& options, const Calibration& calibration, const Quantised& q) {
  const auto row = [&](const char* what, const std::string& fp32, const std::string& int8, const std::string& change) {
    results.line(fmt::format("{:<16} {:>10} {:>10}   {}", what, fp32, int8, change));
  };
  const auto points = [](double value) { return fmt::format("{:.2f} %", value); };
  const auto milliseconds = [](double seconds) { return fmt::format("{:.2f} ms", 1000 * seconds); };
  const auto in_float = std::ranges::count_if(q.layers, &QuantisedLayer::in_float);
  results.line(fmt::format("{} on {} pictures of {}", options.model, calibration.pixels.size(0), options.data));
  row("", "fp32", "int8", "");
  row(calibration.judge.c_str(), points(q.before.score), points(q.after.score), fmt::format("{:+.2f}", -q.drop()));
  row("mean cosine", "", fmt::format("{:.5f}", q.after.cosine / 100), "to the answers in fp32");
  row("weights", format_bytes(q.before.bytes), format_bytes(q.after.bytes),
      fmt::format("{:.2f} of it", static_cast<double>(q.after.bytes) / static_cast<double>(q.before.bytes)));
  row("one picture", milliseconds(q.before.seconds), milliseconds(q.after.seconds),
      fmt::format("{:.2f} times as fast", q.before.seconds / q.after.seconds));
  results.line(
      fmt::format("{} of {} layers in int8. The most sensitive (1 - cosine of the answers with this one alone):",
                  std::ssize(q.layers) - in_float, q.layers.size()));
  const auto layers = most_sensitive_first(q);
  for (std::size_t i = 0; i < layers.size() && (i < 5 || layers[i].in_float); ++i)
    results.line("  " + of_layer(layers[i]));
  results.line(fmt::format("{}: written; it needs no --precision", options.out));
}

void draw_sensitivity(const Options& options, const Quantised& q) {
  constexpr double least = 1e-9;  // of a logarithmic axis
  constexpr std::size_t labels = 5;
  draw::LineChart chart{.title = fmt::format("{}: what each layer costs in int8", options.model),
                        .subtitle = fmt::format("{} of {} layers in int8; in all {:.2f} % before, {:.2f} % after",
                                                std::ranges::count(q.layers, false, &QuantisedLayer::in_float),
                                                q.layers.size(), q.before.score, q.after.score),
                        .x = {.title = "layer", .whole_numbers = true},
                        .y = {.title = "1 - cosine with this layer alone in int8", .logarithmic = true}};
  const auto most_sensitive = most_sensitive_first(q);
  const double labelled = most_sensitive[std::min(labels, most_sensitive.size()) - 1].error;
  for (const bool in_float : {false, true}) {
    draw::Series series{.name = in_float ? "stays in float" : "int8", .x = {}, .y = {}, .joined = false};
    for (std::size_t i = 0; i < q.layers.size(); ++i) {
      if (q.layers[i].in_float != in_float) continue;
      series.x.push_back(static_cast<double>(i));
      series.y.push_back(std::max(q.layers[i].error, least));
      series.labels.push_back(q.layers[i].error >= labelled ? q.layers[i].name : "");
    }
    if (!series.x.empty()) chart.series.push_back(std::move(series));
  }
  draw::write_drawing(options.plot, draw::drawing(chart));
}

}  // namespace

int quantize(const Options& options) {
  if (!options.plot.empty()) check_place(options.plot);
  const auto source = model_source(options);
  const auto calibration = read_calibration(options, source);
  ProgressLine progress("quantize", "", options.quiet);
  const auto quantised =
      tasks::quantise(source, calibration.pixels, calibration.score, options.out,
                      {.max_drop = options.max_drop,
                       .batch = options.batch,
                       .on_progress = [&](const std::string& stage, std::int64_t done, std::int64_t total) {
                         progress.show(done, total, stage);
                       }});
  progress.clear();
  if (!options.plot.empty()) draw_sensitivity(options, quantised);
  Results results("");
  if (!options.json) {
    write_text(results, options, calibration, quantised);
    return 0;
  }
  auto json = tasks::as_json(quantised);
  json["judge"] = calibration.judge;
  json["pictures"] = calibration.pixels.size(0);
  json["folder"] = options.out;
  results.line(json_line(json));
  return 0;
}

}  // namespace nunchi::cli
