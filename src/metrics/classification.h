// metrics/classification.h: how often a classifier is right, and what it takes for what.
//
//   ConfusionMatrix matrix;
//   for (...) matrix.add(truth, predicted);
//   const Proportion top1 = proportion(matrix.hits(), matrix.total());   // top1.value, top1.low, top1.high
//   for (const auto& confusion : matrix.most_frequent(10)) ...
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace nunchi::metrics {

// A share of `total` with its 95 % confidence interval after Wilson (1927), which stays inside [0, 1] and holds for
// small counts, too. Without observations the value is 0 and the interval all of [0, 1].
struct Proportion {
  std::int64_t hits = 0, total = 0;
  double value = 0, low = 0, high = 1;
};
Proportion proportion(std::int64_t hits, std::int64_t total);

// How many classes come before `truth` when the highest score is first; equal scores keep the order of their ids. The
// answer counts among the best k where this is below k.
std::int64_t rank_of(std::span<const double> scores, std::int64_t truth);

// Counts of (true class, predicted class). Only the pairs that occur take space: the models' classes are many more
// than most datasets'.
class ConfusionMatrix {
 public:
  void add(std::int64_t truth, std::int64_t predicted, std::int64_t count = 1);

  std::int64_t at(std::int64_t truth, std::int64_t predicted) const;
  std::int64_t total() const { return total_; }
  std::int64_t hits() const { return hits_; }
  std::int64_t support(std::int64_t truth) const;          // pictures of this class
  std::int64_t predictions(std::int64_t predicted) const;  // pictures that were taken for it

  struct Confusion {
    std::int64_t truth, predicted, count;
  };
  // The pairs of two different classes, the most frequent first; equal ones in the order of their ids.
  std::vector<Confusion> most_frequent(std::size_t count) const;

  // Every class that was predicted, in order.
  std::vector<std::int64_t> predicted_classes() const;

 private:
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> counts_;
  std::map<std::int64_t, std::int64_t> support_, predictions_;
  std::int64_t total_ = 0, hits_ = 0;
};

// A ratio with nothing below the line counts as 0, as in scikit-learn.
struct ClassScore {
  std::int64_t id = 0, support = 0, predictions = 0, hits = 0;
  double precision = 0;  // hits / predictions
  double recall = 0;     // hits / support
  double f1 = 0;         // 2 hits / (support + predictions)
};
ClassScore class_score(const ConfusionMatrix& matrix, std::int64_t id);

struct Averages {
  double precision = 0, recall = 0, f1 = 0;
};
// Each class that has pictures counts the same; the mean recall is also called balanced accuracy.
Averages macro_average(std::span<const ClassScore> scores);
// Each class counts as often as it has pictures.
Averages weighted_average(std::span<const ClassScore> scores);

}  // namespace nunchi::metrics
