// tasks/classifier.h: one model or the mean of several, each seeing the picture in one view or in several.
//
//   Classifier classifier(std::move(models), {.views = views_from_names("flip")});
//   auto views = classifier.prepare(read);                         // on any thread
//   Tensor probabilities = classifier.probabilities(batch.views);  // [b, classes], double
//
// The mean is one of probabilities: that of logits would give the models with the larger ones more say.
#pragma once

#include "image/crop.h"
#include "tasks/picture_loader.h"
#include "tasks/views.h"
#include "tasks/vision_model.h"

namespace nunchi::tasks {

struct ClassifierOptions {
  std::vector<View> views = {{.name = "whole"}};
  std::vector<double> weights;        // of the models; empty: equal ones
  std::optional<image::Window> crop;  // of the upright picture, before everything else
};

class Classifier {
 public:
  // Throws Error (model) where a model has no classifier, Error (usage) where they have not the same classes or the
  // weights make no sense.
  Classifier(std::vector<VisionModel> models, ClassifierOptions options);

  const std::vector<std::string>& labels() const { return labels_; }
  const std::vector<VisionModel>& models() const { return models_; }

  // The picture as network input: every view for the first model, then for the next. `read` is called with whether to
  // turn the picture as its EXIF says, once for each of the two ways that a model wants.
  using Read = std::function<image::Picture(bool apply_exif_orientation)>;
  std::vector<image::PixelValues> prepare(const Read& read) const;

  // views as prepare() orders them, each [b, 3, h, w]. Throws Error (model) where an answer is not finite.
  Tensor probabilities(const std::vector<Tensor>& views) const;

 private:
  std::vector<VisionModel> models_;
  ClassifierOptions options_;
  std::vector<double> weights_;  // sum to one
  std::vector<std::string> labels_;
};

}  // namespace nunchi::tasks
