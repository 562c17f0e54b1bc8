#include "metrics/retrieval.h"

#include <algorithm>
#include <utility>

namespace nunchi::metrics {

void RetrievalMeter::add(const std::vector<bool>& relevant) {
  std::int64_t found = 0, found_within_k = 0;
  double precisions = 0;
  for (std::size_t i = 0; i < relevant.size(); ++i) {
    if (!relevant[i]) continue;
    ++found;
    found_within_k += std::cmp_less(i, k_) ? 1 : 0;
    precisions += static_cast<double>(found) / static_cast<double>(i + 1);
  }
  if (found == 0) {
    ++without_any_;
    return;
  }
  ++queries_;
  first_ += relevant.front() ? 1 : 0;
  within_k_ += static_cast<double>(found_within_k) / static_cast<double>(std::min(k_, std::ssize(relevant)));
  average_ += precisions / static_cast<double>(found);
}

Retrieval RetrievalMeter::result() const {
  const double count = static_cast<double>(std::max<std::int64_t>(1, queries_));
  return {.k = k_,
          .queries = queries_,
          .without_any = without_any_,
          .precision_at_1 = first_ / count,
          .precision_at_k = within_k_ / count,
          .mean_average_precision = average_ / count};
}

}  // namespace nunchi::metrics
