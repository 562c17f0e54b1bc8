#include "tasks/evaluate.h"

#include "core/assert.h"

namespace nunchi::tasks {

Evaluation::Evaluation(const std::vector<std::string>& dataset_classes, const std::vector<std::string>& labels,
                       const ClassMapping& mapping, int top)
    : dataset_classes_(dataset_classes.size()),
      counted_as_(labels.size(), labels.size()),
      names_(dataset_classes),
      top_(top) {
  for (std::size_t i = 0; i < dataset_classes.size(); ++i)
    for (const auto id : mapping.classes[i]) counted_as_.at(static_cast<std::size_t>(id)) = i;
  for (std::size_t id = 0; id < labels.size(); ++id) {
    if (counted_as_[id] < dataset_classes_) continue;
    counted_as_[id] = names_.size();
    names_.push_back(labels[id]);
  }
}

std::vector<double> Evaluation::collapse(std::span<const double> probabilities) const {
  std::vector<double> sums(names_.size());
  for (std::size_t id = 0; id < probabilities.size(); ++id) sums[counted_as_[id]] += probabilities[id];
  return sums;
}

void Evaluation::add(const Tensor& probabilities, std::span<const std::int64_t> truths) {
  ASSERT(probabilities.scalar_type() == at::kDouble, "probabilities are double");
  ASSERT(probabilities.dim() == 2 && std::cmp_equal(probabilities.size(0), truths.size()) &&
             std::cmp_equal(probabilities.size(1), counted_as_.size()),
         "one row of all the model's classes for each truth");
  const Tensor rows = probabilities.contiguous();
  const double* row = rows.const_data_ptr<double>();
  for (const auto truth : truths) {
    const auto sums = collapse({row, counted_as_.size()});
    const auto best = std::max_element(sums.begin(), sums.end()) - sums.begin();
    confusion_.add(truth, best);
    top_hits_ += metrics::rank_of(sums, truth) < top_ ? 1 : 0;
    calibration_.add(sums, truth);
    row += counted_as_.size();
  }
}

EvaluationResult Evaluation::result() const {
  EvaluationResult result{.top1 = metrics::proportion(confusion_.hits(), confusion_.total()),
                          .top_k = metrics::proportion(top_hits_, confusion_.total()),
                          .k = top_,
                          .calibration = calibration_.result(),
                          .confusion = confusion_,
                          .names = names_};
  for (std::size_t i = 0; i < dataset_classes_; ++i)
    result.classes.push_back(metrics::class_score(confusion_, static_cast<std::int64_t>(i)));
  result.macro = metrics::macro_average(result.classes);
  result.weighted = metrics::weighted_average(result.classes);
  return result;
}

}  // namespace nunchi::tasks
