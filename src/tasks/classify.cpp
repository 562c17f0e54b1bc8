#include "tasks/classify.h"

#include <ATen/ops/softmax.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace nunchi::tasks {

std::vector<std::vector<Prediction>> most_probable(const std::vector<std::string>& labels, const Tensor& probabilities,
                                                   std::int64_t count) {
  const Tensor rows = probabilities.to(at::kDouble).contiguous();
  const auto classes = static_cast<std::size_t>(rows.size(1));
  const auto kept = std::min(classes, static_cast<std::size_t>(count));
  std::vector<std::vector<Prediction>> answers;
  for (std::int64_t b = 0; b < rows.size(0); ++b) {
    const double* row = rows.const_data_ptr<double>() + static_cast<std::size_t>(b) * classes;
    std::vector<std::int64_t> ids(classes);
    std::iota(ids.begin(), ids.end(), 0);
    const auto better = [&](std::int64_t a, std::int64_t c) { return row[a] != row[c] ? row[a] > row[c] : a < c; };
    std::partial_sort(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(kept), ids.end(), better);
    auto& answer = answers.emplace_back();
    for (std::size_t i = 0; i < kept; ++i) {
      const auto id = ids[i];
      answer.push_back({id, labels.at(static_cast<std::size_t>(id)), static_cast<float>(row[id])});
    }
  }
  return answers;
}

std::vector<std::vector<Prediction>> top_predictions(const VisionModel& model, const Tensor& logits,
                                                     std::int64_t count) {
  require_finite(logits);
  return most_probable(model.labels(), at::softmax(logits, -1), count);
}

void require_classifier(const VisionModel& model) {
  if (model.network().classes() > 0) return;
  throw Error(ErrorKind::model,
              fmt::format("this {} has no classifier: its checkpoint is a backbone. `embed` works with it; "
                          "to classify, use a ...ForImageClassification checkpoint.",
                          model.type()));
}

}  // namespace nunchi::tasks
