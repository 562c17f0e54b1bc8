// tasks/evaluate.h: a classifier measured on labelled pictures.
//
//   Evaluation evaluation(dataset.classes, model.labels(), mapping, /* top */ 5);
//   evaluation.add(probabilities, truths);                  // batch by batch
//   const EvaluationResult result = evaluation.result();    // result.top1.value
//
// The classes counted are the dataset's, then those of the model that are none of the dataset's. A dataset's class that
// is several of the model's has the sum of their probabilities.
#pragma once

#include <span>

#include "metrics/calibration.h"
#include "metrics/classification.h"
#include "ops/tensor.h"
#include "tasks/class_mapping.h"

namespace nunchi::tasks {

struct EvaluationResult {
  metrics::Proportion top1, top_k;
  int k = 5;
  std::vector<metrics::ClassScore> classes;  // of the dataset's classes
  metrics::Averages macro, weighted;
  metrics::Calibration calibration;
  metrics::ConfusionMatrix confusion;
  std::vector<std::string> names;  // of all classes counted; ids in `classes` and `confusion` are indices into it
};

class Evaluation {
 public:
  Evaluation(const std::vector<std::string>& dataset_classes, const std::vector<std::string>& labels,
             const ClassMapping& mapping, int top);

  // probabilities [b, model classes], double; truths: indices of the dataset's classes.
  void add(const Tensor& probabilities, std::span<const std::int64_t> truths);

  EvaluationResult result() const;

 private:
  std::vector<double> collapse(std::span<const double> probabilities) const;

  std::size_t dataset_classes_;
  std::vector<std::size_t> counted_as_;  // for each of the model's classes, the class counted
  std::vector<std::string> names_;
  int top_;
  std::int64_t top_hits_ = 0;
  metrics::ConfusionMatrix confusion_;
  metrics::CalibrationMeter calibration_;
};

}  // namespace nunchi::tasks
