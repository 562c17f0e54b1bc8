#include "tasks/classifier.h"

#include <ATen/ops/softmax.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <numeric>

#include "core/assert.h"
#include "tasks/class_mapping.h"
#include "tasks/classify.h"
#include "tasks/labels.h"

namespace nunchi::tasks {
namespace {

std::vector<double> normalised_weights(std::vector<double> weights, std::size_t models) {
  if (weights.empty()) weights.assign(models, 1);
  if (weights.size() != models) {
    throw Error(ErrorKind::usage,
                fmt::format("--weights: expected one for each of the {} models, found {}", models, weights.size()));
  }
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& weight : weights) {
    if (!(weight >= 0) || !std::isfinite(sum) || sum <= 0)
      throw Error(ErrorKind::usage, "--weights: expected numbers from 0 on that are not all 0");
    weight /= sum;
  }
  return weights;
}

// The names of the first model that has any. Models with names must have the same.
std::vector<std::string> common_labels(const std::vector<VisionModel>& models) {
  const VisionModel* named = &models.front();
  for (const auto& model : models) {
    if (model.labels().size() != named->labels().size()) {
      throw Error(
          ErrorKind::usage,
          fmt::format("--ensemble: expected models of the same classes, found {} of {} and {} of {}",
                      models.front().type(), models.front().labels().size(), model.type(), model.labels().size()));
    }
    if (are_unnamed(model.labels())) continue;
    if (are_unnamed(named->labels())) named = &model;
    for (std::size_t i = 0; i < model.labels().size(); ++i) {
      if (same_label(named->labels()[i], model.labels()[i])) continue;
      throw Error(ErrorKind::usage,
                  fmt::format("--ensemble: expected models of the same classes; class {} is \"{}\" of "
                              "one and \"{}\" of another. --labels gives all of them the same names.",
                              i, named->labels()[i], model.labels()[i]));
    }
  }
  return named->labels();
}

}  // namespace

Classifier::Classifier(std::vector<VisionModel> models, ClassifierOptions options)
    : models_(std::move(models)), options_(std::move(options)) {
  ASSERT(!models_.empty() && !options_.views.empty(), "a classifier has a model and a view");
  for (const auto& model : models_) {
    require_classifier(model);
    model.transform();  // throws where the checkpoint does not say, once instead of for each picture
  }
  weights_ = normalised_weights(options_.weights, models_.size());
  labels_ = common_labels(models_);
}

std::vector<image::PixelValues> Classifier::prepare(const Read& read) const {
  std::array<std::optional<image::Picture>, 2> pictures;  // as stored, and upright
  std::vector<image::PixelValues> values;
  for (const auto& model : models_) {
    const auto& transform = model.transform();
    auto& picture = pictures[transform.apply_exif_orientation ? 1 : 0];
    if (!picture) picture = read(transform.apply_exif_orientation);
    const auto cropped = options_.crop ? std::optional(image::crop(*picture, *options_.crop)) : std::nullopt;
    const auto& shown = cropped ? *cropped : *picture;
    for (const auto& view : options_.views)
      values.push_back(image::apply(transform, view.whole() ? shown : seen(shown, view)));
  }
  return values;
}

Tensor Classifier::probabilities(const std::vector<Tensor>& views) const {
  const auto per_model = options_.views.size();
  ASSERT(views.size() == models_.size() * per_model, "every view for every model");
  const c10::InferenceMode inference;
  Tensor sum;
  for (std::size_t i = 0; i < views.size(); ++i) {
    const auto logits = models_[i / per_model].forward(views[i]).logits;
    require_finite(logits);
    const auto weight = weights_[i / per_model] / static_cast<double>(per_model);
    const Tensor share = at::softmax(logits, -1, at::kDouble) * weight;
    sum = sum.defined() ? sum + share : share;
  }
  return sum;
}

}  // namespace nunchi::tasks
