// tasks/classify.h: from logits to named answers.
#pragma once

#include "tasks/vision_model.h"

namespace nunchi::tasks {

struct Prediction {
  std::int64_t id;
  std::string label;
  float probability;
};

// The `count` most probable classes of each picture, best first. Equal ones keep the order of their ids.
// probabilities [b, classes], float or double.
std::vector<std::vector<Prediction>> most_probable(const std::vector<std::string>& labels, const Tensor& probabilities,
                                                   std::int64_t count);

// The same of logits [b, classes]. Throws Error (model) where one is no finite number.
std::vector<std::vector<Prediction>> top_predictions(const VisionModel& model, const Tensor& logits,
                                                     std::int64_t count);

// Throws Error (model) where the model has no classifier.
void require_classifier(const VisionModel& model);

}  // namespace nunchi::tasks
