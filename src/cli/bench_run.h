// cli/bench_run.h: what `nunchi bench` measured, and the pictures of it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/options.h"
#include "cli/page_words.h"
#include "core/peak.h"
#include "draw/drawing.h"
#include "tasks/bench.h"
#include "tasks/info.h"

namespace nunchi::cli {

struct Measured {
  std::string precision;
  std::int64_t batch;
  tasks::BenchResult result;

  double pictures_per_second() const;  // 0 where it could not be measured
};

// How right a model is, as its folder's evaluation.json says.
struct Accuracy {
  std::string dataset;
  double top1 = 0;  // 0 ... 1
};

struct BenchedModel {
  std::string name;
  tasks::ModelInfo info;
  std::optional<Accuracy> accuracy = {};
  std::vector<Measured> measured = {};

  double gflop() const { return 2e-9 * static_cast<double>(info.macs); }  // a picture
  double flops(const Measured& m) const;                                  // per second
  std::string in_words(const PageWords& say = PageWords()) const;         // its size, without its name
};

struct BenchRun {
  std::vector<BenchedModel> models;
  int threads = 1;
  Peak peak = {};

  // Of the operations that the peak allows in this precision; nothing where it is not known.
  std::optional<double> share_of_peak(const BenchedModel& model, const Measured& m) const;
};

// The last part of each path or name on the hub, with the part before it where two would be the same.
std::vector<std::string> short_names(const std::vector<BenchedModel>& models);

// Pictures a second and latency over the batches, a line for each precision, of the first model.
draw::Drawing model_drawing(const BenchRun& run, const PageWords& say);

// A point for each model and precision, at its fastest batch: accuracy over pictures a second with the Pareto front
// where every model has one of the same dataset; otherwise pictures a second over the work of a picture.
draw::Drawing comparison_drawing(const BenchRun& run, const PageWords& say);

// That drawing, and a table of all that was measured of each model, in one HTML file.
std::string bench_page(const BenchRun& run, const draw::Drawing& drawing, const PageWords& say);

// bench --suggest-batch.
int suggest_batch(const Options& options);

// bench --scaling.
int bench_scaling(const Options& options);

}  // namespace nunchi::cli
