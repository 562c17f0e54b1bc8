// tasks/quantise.h: a checkpoint written again in int8, and what that costs in accuracy, layer by layer and in all.
//
//   const Quantised done = quantise({.path = "vit-base"}, pixels, agreement, "vit-base-int8", {.max_drop = 0.5});
//   done.after.score;   // of the folder that was written, read back
//
// What linear layers take needs no calibration: each token gets its range as it comes (ops/linear_int8.h). The pictures
// choose the range of each layer's weights and of each convolution's input, and which layers stay in floating point.
#pragma once

#include <functional>

#include "core/json.h"
#include "tasks/model_files.h"

namespace nunchi::tasks {

// What becomes the code 127 in each output channel: the largest magnitude; that which all but one in a thousand are
// below; the one that leaves the smallest squared error. What lies beyond it is clipped.
enum class WeightRange { largest, percentile, least_error };

std::string_view weight_range_name(WeightRange range);

// The weight [out, ...] clipped to that range.
Tensor clipped(const Tensor& weight, WeightRange range);

// Points, of 100, for the answers [n, d] to all pictures; `exact` are those of the model in fp32.
using Score = std::function<double(const Tensor& answers, const Tensor& exact)>;

// The share of pictures for which the largest number is the same one.
double agreement(const Tensor& answers, const Tensor& exact);

// 100 * the mean cosine.
double mean_cosine(const Tensor& answers, const Tensor& exact);

struct QuantiseOptions {
  double max_drop = 0.5;                   // points of the score; layers stay in float until it holds
  std::int64_t sensitivity_pictures = 16;  // of all, spread evenly
  std::int64_t batch = 8;
  std::function<void(const std::string& stage, std::int64_t done, std::int64_t total)> on_progress =
      [](const std::string&, std::int64_t, std::int64_t) {};
};

struct QuantisedLayer {
  std::string name;  // the model's own: "blocks.3.mlp.fc1"
  Shape shape;
  WeightRange range = WeightRange::largest;  // the one of the smallest error
  double error = 0;  // 1 - mean cosine of the answers with this layer alone in int8 to those with none
  bool in_float = false;
};

struct ModelQuality {
  double score = 0, cosine = 0;
  double seconds = 0;       // median, one picture at a time
  std::uint64_t bytes = 0;  // of the weights in their files
};

struct Quantised {
  std::vector<QuantisedLayer> layers;  // in the order of the model
  ModelQuality before, after;          // in fp32; of the folder that was written

  double drop() const { return before.score - after.score; }
};

// pixels [n, c, h, w], n > 0. Writes the folder `out`: the checkpoint in its own publisher's names, its layers in int8
// (weights/int8_storage.h) or float, config.json with a quantization_config, quantization.json with all of this. It
// appears when it is complete. Throws Error (input) where it is there already and holds files; Error (model) where the
// model has no layer to quantise, or not even the most sensitive ones in float keep the drop within its limit.
Quantised quantise(const ModelSource& source, const Tensor& pixels, const Score& score,
                   const std::filesystem::path& out, const QuantiseOptions& options);

Json as_json(const Quantised& quantised);

}  // namespace nunchi::tasks
