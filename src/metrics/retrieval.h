// metrics/retrieval.h: how well a search that sorts by likeness finds what is of the query's class.
//
//   RetrievalMeter meter(10);
//   for (...) meter.add(relevant);                   // of one query: nearest first, whether each is of its class
//   const Retrieval result = meter.result();         // result.precision_at_k, result.mean_average_precision
#pragma once

#include <cstdint>
#include <vector>

namespace nunchi::metrics {

struct Retrieval {
  std::int64_t k = 0;
  std::int64_t queries = 0;           // that have something to find
  std::int64_t without_any = 0;       // that have not; they count nowhere else
  double precision_at_1 = 0;          // all three are means over the queries
  double precision_at_k = 0;          // the share of relevant ones among the first k; of fewer, among all
  double mean_average_precision = 0;  // of the precisions at each relevant one (mAP, without interpolation)
};

class RetrievalMeter {
 public:
  explicit RetrievalMeter(std::int64_t k) : k_(k) {}

  void add(const std::vector<bool>& relevant);

  Retrieval result() const;

 private:
  std::int64_t k_, queries_ = 0, without_any_ = 0;
  double first_ = 0, within_k_ = 0, average_ = 0;
};

}  // namespace nunchi::metrics
