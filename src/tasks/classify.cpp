#include "tasks/classify.h"

#include <ATen/ops/softmax.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace nunchi::tasks {

std::vector<std::vector<Prediction>> top_predictions(const VisionModel& model, const Tensor& logits,
                                                     std::int64_t count) {
  require_finite(logits);
  const Tensor probabilities = at::softmax(logits, -1).contiguous();
  const auto classes = static_cast<std::size_t>(probabilities.size(1));
  const auto kept = std::min(classes, static_cast<std::size_t>(count));
  std::vector<std::vector<Prediction>> answers;
  for (std::int64_t b = 0; b < probabilities.size(0); ++b) {
    const float* row = probabilities.const_data_ptr<float>() + static_cast<std::size_t>(b) * classes;
    std::vector<std::int64_t> ids(classes);
    std::iota(ids.begin(), ids.end(), 0);
    const auto better = [&](std::int64_t a, std::int64_t c) { return row[a] != row[c] ? row[a] > row[c] : a < c; };
    std::partial_sort(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(kept), ids.end(), better);
    auto& answer = answers.emplace_back();
    for (std::size_t i = 0; i < kept; ++i) answer.push_back({ids[i], model.label(ids[i]), row[ids[i]]});
  }
  return answers;
}

void require_classifier(const VisionModel& model) {
  if (model.network().classes() > 0) return;
  throw Error(ErrorKind::model,
              fmt::format("this {} has no classifier: its checkpoint is a backbone. `embed` works with it; "
                          "to classify, use a ...ForImageClassification checkpoint.",
                          model.type()));
}

}  // namespace nunchi::tasks
