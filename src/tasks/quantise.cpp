#include "tasks/quantise.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/cosine_similarity.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/where.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "core/file.h"
#include "core/interrupt.h"
#include "core/new_folder.h"
#include "core/timing.h"
#include "nn/input_ranges.h"
#include "ops/linear_int8.h"
#include "tasks/bundled_models.h"
#include "tasks/embed.h"
#include "tasks/vision_model.h"
#include "weights/int8_storage.h"

namespace nunchi::tasks {
namespace {

namespace fs = std::filesystem;

constexpr std::array weight_ranges{WeightRange::largest, WeightRange::percentile, WeightRange::least_error};
constexpr int timed_forwards = 11;

// The squared error of each row of [out, n] when it is rounded in a range [out, 1]: [out, 1].
Tensor rounding_error(const Tensor& rows, const Tensor& largest) {
  const Tensor scale = at::where(largest > 0, largest / 127, 1.0);
  return ((rows / scale).round_().clamp_(-127, 127) * scale - rows).pow_(2).sum(1, /*keepdim=*/true);
}

Tensor range_of_least_error(const Tensor& rows, const Tensor& largest) {
  Tensor best = largest, least = rounding_error(rows, largest);
  for (double share = 0.95; share > 0.4; share -= 0.05) {
    const Tensor error = rounding_error(rows, share * largest);
    best = at::where(error < least, share * largest, best);
    least = at::minimum(error, least);
  }
  return best;
}

// What the model says of pictures: its logits, or the embedding of a backbone. [n, d] fp32.
Tensor answers_of(const VisionModel& model, const Tensor& pixels, std::int64_t batch,
                  const std::function<void(std::int64_t)>& on_done) {
  std::vector<Tensor> all;
  for (std::int64_t i = 0; i < pixels.size(0); i += batch) {
    throw_if_stopped();
    const auto output = model.forward(pixels.narrow(0, i, std::min(batch, pixels.size(0) - i)));
    all.push_back(output.logits.defined() ? output.logits : embeddings(output, EmbeddingKind::cls));
    require_finite(all.back());
    on_done(std::min(i + batch, pixels.size(0)));
  }
  return at::cat(all, 0);
}

double seconds_of_one(const VisionModel& model, const Tensor& pixels) {
  std::vector<double> seconds;
  for (int i = 0; i < timed_forwards; ++i) {
    const auto start = Clock::now();
    model.forward(pixels.narrow(0, 0, 1));
    seconds.push_back(seconds_since(start));
  }
  std::ranges::nth_element(seconds, seconds.begin() + timed_forwards / 2);
  return seconds[timed_forwards / 2];
}

std::uint64_t weight_bytes(const fs::path& model) {
  std::uint64_t bytes = 0;
  const auto files = open_model_weights(model);
  for (const auto& name : files.names()) bytes += files.find(name)->bytes.size();
  return bytes;
}

Tensor spread_evenly(const Tensor& pixels, std::int64_t count) {
  std::vector<Tensor> chosen;
  for (std::int64_t i = 0; i < count; ++i) chosen.push_back(pixels.narrow(0, i * pixels.size(0) / count, 1));
  return at::cat(chosen, 0);
}

// Of the codes that convolutions take, by the names of their weights.
using InputScales = std::map<std::string, ops::CodeScale>;

InputScales input_scales(VisionModel& model, const nn::InputRanges& ranges) {
  InputScales scales;
  for (const auto& [name, slot] : model.network().tensors())
    if (const auto scale = ranges.scale_of(slot->tensor)) scales.emplace(name, *scale);
  return scales;
}

// A model in int8 whose layers can each be given another range, or floating point.
class Trial {
 public:
  Trial(const ModelSource& source, std::int64_t batch, const InputScales& inputs)
      : model_(source, nn::Precision::int8), batch_(batch) {
    weights::thaw(model_.network(), &model_.checkpoint());
    for (const auto& [name, slot] : model_.network().tensors()) {
      if (const auto input = inputs.find(name); input != inputs.end()) slot->input = input->second;
      if (!slot->has_int8) {
        if (slot->input) in_float_anyway_.push_back(name);
        continue;
      }
      slots_.push_back(slot);
      originals_.push_back(*slot->tensor);
      clipped_.emplace_back();
      layers_.push_back({.name = name.substr(0, name.rfind('.')), .shape = slot->shape});
    }
  }

  std::vector<QuantisedLayer>& layers() { return layers_; }

  // As the layers say.
  Tensor answers(
      const Tensor& pixels, const std::function<void(std::int64_t)>& on_done = [](std::int64_t) {}) {
    apply();
    weights::freeze(model_.network(), nn::Precision::int8);
    const Tensor answers = answers_of(model_, pixels, batch_, on_done);
    weights::thaw(model_.network());
    return answers;
  }

  void write(const fs::path& path) {
    apply();
    const auto& checkpoint = model_.checkpoint();
    weights::write_checkpoint(path, model_.network(), checkpoint.table(), checkpoint.prefix(), {.int8 = true});
  }

  // The publisher's names of the layers that stay in float.
  std::vector<std::string> names_in_float() const {
    std::vector<std::string> names, own = in_float_anyway_;
    const auto& checkpoint = model_.checkpoint();
    for (const auto& layer : layers_)
      if (layer.in_float) own.push_back(layer.name + ".weight");
    for (const auto& one : own) {
      for (const auto& name : checkpoint.table().their_names(one, checkpoint.prefix()))
        if (name != weights::zeros) names.push_back(name.substr(0, name.rfind('.')));
    }
    return names;
  }

 private:
  void apply() {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      slots_[i]->in_float = layers_[i].in_float;
      *slots_[i]->tensor = layers_[i].in_float ? originals_[i] : weight_of(i);
    }
  }

  // Clipped to the range of its layer.
  const Tensor& weight_of(std::size_t i) {
    auto& [range, weight] = clipped_[i];
    if (!weight.defined() || range != layers_[i].range) weight = clipped(originals_[i], layers_[i].range);
    range = layers_[i].range;
    return weight;
  }

  VisionModel model_;
  std::int64_t batch_;
  std::vector<nn::Slot*> slots_;
  std::vector<std::string> in_float_anyway_;  // weights of convolutions that take codes and have none of their own
  std::vector<Tensor> originals_;
  std::vector<std::pair<WeightRange, Tensor>> clipped_;
  std::vector<QuantisedLayer> layers_;
};

// Each layer alone in int8, with each range: the best one and its error stay with the layer.
void measure_sensitivity(Trial& trial, const Tensor& pixels, const QuantiseOptions& options) {
  auto& layers = trial.layers();
  for (auto& layer : layers) layer.in_float = true;
  const Tensor without = trial.answers(pixels);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    auto& layer = layers[i];
    options.on_progress("layers", static_cast<std::int64_t>(i), std::ssize(layers));
    layer.in_float = false;
    std::optional<std::pair<double, WeightRange>> best;
    for (const auto range : weight_ranges) {
      layer.range = range;
      const double error = 1 - mean_cosine(trial.answers(pixels), without) / 100;
      if (!best || error < best->first) best = {error, range};
    }
    std::tie(layer.error, layer.range) = *best;
    layer.in_float = true;
  }
}

// The fewest most sensitive layers in float with which the score holds, found by doubling and halving.
class FloatSearch {
 public:
  FloatSearch(Trial& trial, const Tensor& pixels, const Tensor& exact, const Score& score,
              const QuantiseOptions& options)
      : trial_(trial), pixels_(pixels), exact_(exact), score_(score), options_(options) {
    order_.resize(trial.layers().size());
    std::iota(order_.begin(), order_.end(), 0);
    std::ranges::stable_sort(order_, std::greater(), [&](std::size_t i) { return trial.layers()[i].error; });
    least_ = score(exact, exact) - options.max_drop;
  }

  // Throws Error (model) where only a model without any int8 would do.
  void run() {
    std::size_t fails = 0, holds = 0;
    if (holds_with(0)) return;
    for (holds = 1; holds < order_.size() && !holds_with(holds); holds *= 2) fails = holds;
    holds = std::min(holds, order_.size());
    while (holds - fails > 1) {
      const auto middle = std::midpoint(fails, holds);
      (holds_with(middle) ? holds : fails) = middle;
    }
    if (holds == order_.size()) {
      const double in_one = last_score_;
      holds_with(order_.size());
      throw Error(
          ErrorKind::model,
          fmt::format("int8: --max-drop {} allows a score of {:.2f} at least, found {:.2f} with all but one of {} "
                      "layers in float, and {:.2f} with all of them, which a model in int8 computes in {}; allow "
                      "more, or stay with fp32",
                      options_.max_drop, least_, in_one, order_.size(), last_score_,
                      ops::int8_activation_dtype() == at::kFloat ? "fp32" : "bf16"));
    }
    keep_in_float(holds);
  }

 private:
  void keep_in_float(std::size_t count) {
    for (std::size_t i = 0; i < order_.size(); ++i) trial_.layers()[order_[i]].in_float = i < count;
  }

  bool holds_with(std::size_t count) {
    keep_in_float(count);
    const auto stage = fmt::format("{} of {} in float", count, order_.size());
    last_score_ =
        score_(trial_.answers(pixels_, [&](std::int64_t done) { options_.on_progress(stage, done, pixels_.size(0)); }),
               exact_);
    return last_score_ >= least_;
  }

  Trial& trial_;
  const Tensor &pixels_, &exact_;
  const Score& score_;
  const QuantiseOptions& options_;
  std::vector<std::size_t> order_;  // the most sensitive first
  double least_ = 0, last_score_ = 0;
};

ModelQuality quality(const VisionModel& model, const Tensor& pixels, const Tensor& answers, const Tensor& exact,
                     const Score& score) {
  return {
      .score = score(answers, exact), .cosine = mean_cosine(answers, exact), .seconds = seconds_of_one(model, pixels)};
}

void write_descriptions(const ModelSource& source, const fs::path& out, const std::vector<std::string>& in_float) {
  const auto write_json = [&](const char* name, const Json& json) { write_file(out / name, json.dump(2) + "\n"); };
  for (const char* name : {"preprocessor_config.json", "processor_config.json"})
    if (const auto json = read_model_json(source.path, name)) write_json(name, *json);
  auto config = read_model_json(source.path, "config.json").value();
  config["quantization_config"] = weights::int8_config(in_float);
  write_json("config.json", config);
}

}  // namespace

std::string_view weight_range_name(WeightRange range) {
  switch (range) {
    case WeightRange::largest:
      return "largest";
    case WeightRange::percentile:
      return "percentile";
    case WeightRange::least_error:
      return "least error";
  }
  ASSERT(false, "every range has its name");
}

Tensor clipped(const Tensor& weight, WeightRange range) {
  if (range == WeightRange::largest) return weight;
  const Tensor rows = weight.detach().flatten(1), magnitudes = rows.abs();
  constexpr double share = 0.999;
  const auto rank = std::max<std::int64_t>(1, static_cast<std::int64_t>(share * static_cast<double>(rows.size(1))));
  const Tensor limit = range == WeightRange::percentile
                           ? std::get<0>(magnitudes.kthvalue(rank, 1, /*keepdim=*/true))
                           : range_of_least_error(rows, magnitudes.amax(1, /*keepdim=*/true));
  return at::minimum(at::maximum(rows, -limit), limit).view(weight.sizes());
}

double agreement(const Tensor& answers, const Tensor& exact) {
  return 100 * (answers.argmax(1) == exact.argmax(1)).to(at::kDouble).mean().item<double>();
}

double mean_cosine(const Tensor& answers, const Tensor& exact) {
  return 100 * at::cosine_similarity(answers.to(at::kDouble), exact.to(at::kDouble), 1).mean().item<double>();
}

Quantised quantise(const ModelSource& source, const Tensor& pixels, const Score& score, const fs::path& target,
                   const QuantiseOptions& options) {
  NewFolder folder(target, NewFolder::Existing::refused);
  const auto show = [&](const std::string& stage) {
    return [&options, stage, total = pixels.size(0)](std::int64_t done) { options.on_progress(stage, done, total); };
  };
  Quantised result;
  Tensor exact;
  InputScales inputs;
  {
    VisionModel model(source, nn::Precision::fp32);
    {
      const nn::InputRanges ranges;
      exact = answers_of(model, pixels, options.batch, show("fp32"));
      inputs = input_scales(model, ranges);
    }
    result.before = quality(model, pixels, exact, exact, score);
    result.before.bytes = weight_bytes(source.path);
  }
  {
    Trial trial(source, options.batch, inputs);
    if (trial.layers().empty())
      throw Error(ErrorKind::model, "int8: this model has no layer that nunchi computes in int8");
    const auto count = std::min(options.sensitivity_pictures, pixels.size(0));
    measure_sensitivity(trial, spread_evenly(pixels, count), options);
    FloatSearch(trial, pixels, exact, score, options).run();
    trial.write(folder.path() / "model.safetensors");
    write_descriptions(source, folder.path(), trial.names_in_float());
    result.layers = trial.layers();
  }
  const VisionModel written({.path = folder.path()}, nn::Precision::int8);
  result.after = quality(written, pixels, answers_of(written, pixels, options.batch, show("int8")), exact, score);
  result.after.bytes = weight_bytes(folder.path());
  write_file(folder.path() / "quantization.json", as_json(result).dump(2) + "\n");
  folder.put_in_place();
  return result;
}

Json as_json(const Quantised& q) {
  const auto quality = [](const ModelQuality& m) {
    return Json{{"score", m.score}, {"mean_cosine", m.cosine}, {"seconds", m.seconds}, {"weight_bytes", m.bytes}};
  };
  Json layers = Json::array();
  for (const auto& layer : q.layers) {
    layers.push_back({{"name", layer.name},
                      {"shape", layer.shape},
                      {"in_float", layer.in_float},
                      {"range", weight_range_name(layer.range)},
                      {"error", layer.error}});
  }
  return {{"fp32", quality(q.before)}, {"int8", quality(q.after)}, {"drop", q.drop()}, {"layers", std::move(layers)}};
}

}  // namespace nunchi::tasks
