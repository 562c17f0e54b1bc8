#include "metrics/classification.h"

#include <gmock/gmock.h>

#include "core/error.h"

namespace nunchi::metrics {
namespace {

// Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I, method 3.
TEST(Proportion, HasThePublishedWilsonIntervals) {
  struct Row {
    std::int64_t hits, total;
    double low, high;
  };
  for (const auto& row : {Row{81, 263, 0.2553, 0.3662}, Row{15, 148, 0.0624, 0.1605}, Row{0, 20, 0.0, 0.1611},
                          Row{1, 29, 0.0061, 0.1718}}) {
    const auto found = proportion(row.hits, row.total);
    EXPECT_DOUBLE_EQ(found.value, static_cast<double>(row.hits) / static_cast<double>(row.total));
    EXPECT_NEAR(found.low, row.low, 5e-5) << row.hits;
    EXPECT_NEAR(found.high, row.high, 5e-5) << row.hits;
  }
}

TEST(Proportion, OfAllReachesOneAndOfNothingSaysNothing) {
  const auto all = proportion(8, 8);
  EXPECT_EQ(all.value, 1);
  EXPECT_EQ(all.high, 1);
  EXPECT_NEAR(all.low, 8 / (8 + 3.841458820694124), 1e-12);  // n / (n + z^2)
  const auto nothing = proportion(0, 0);
  EXPECT_EQ(nothing.low, 0);
  EXPECT_EQ(nothing.high, 1);
  EXPECT_THROW(proportion(2, 1), Error);
}

TEST(RankOf, CountsWhatIsBetterAndTheFirstOfEqualOnes) {
  const std::vector<double> scores = {0.1, 0.4, 0.4, 0.05, 0.05};
  EXPECT_EQ(rank_of(scores, 1), 0);
  EXPECT_EQ(rank_of(scores, 2), 1);
  EXPECT_EQ(rank_of(scores, 0), 2);
  EXPECT_EQ(rank_of(scores, 3), 3);
  EXPECT_EQ(rank_of(scores, 4), 4);
  EXPECT_THROW(rank_of(scores, 5), Error);
}

// Truths 0 0 0 1 1 2, predicted 0 0 1 1 2 7: class 7 has no pictures.
ConfusionMatrix example() {
  ConfusionMatrix matrix;
  for (const auto& [truth, predicted] :
       std::vector<std::pair<int, int>>{{0, 0}, {0, 0}, {0, 1}, {1, 1}, {1, 2}, {2, 7}})
    matrix.add(truth, predicted);
  return matrix;
}

TEST(ConfusionMatrix, Counts) {
  const auto matrix = example();
  EXPECT_EQ(matrix.total(), 6);
  EXPECT_EQ(matrix.hits(), 3);
  EXPECT_EQ(matrix.at(0, 0), 2);
  EXPECT_EQ(matrix.at(0, 1), 1);
  EXPECT_EQ(matrix.at(1, 0), 0);
  EXPECT_EQ(matrix.support(0), 3);
  EXPECT_EQ(matrix.predictions(1), 2);
  EXPECT_EQ(matrix.support(7), 0);
  EXPECT_THAT(matrix.predicted_classes(), testing::ElementsAre(0, 1, 2, 7));
}

TEST(ConfusionMatrix, NamesTheMostFrequentConfusionsFirst) {
  auto matrix = example();
  matrix.add(2, 7);
  const auto found = matrix.most_frequent(2);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].truth, 2);
  EXPECT_EQ(found[0].predicted, 7);
  EXPECT_EQ(found[0].count, 2);
  EXPECT_EQ(found[1].truth, 0);
  EXPECT_EQ(matrix.most_frequent(100).size(), 3u);
}

TEST(ClassScore, HasPrecisionRecallAndF1) {
  const auto matrix = example();
  const auto zero = class_score(matrix, 0);  // 2 hits, 3 pictures, 2 predictions
  EXPECT_DOUBLE_EQ(zero.precision, 1);
  EXPECT_DOUBLE_EQ(zero.recall, 2.0 / 3);
  EXPECT_DOUBLE_EQ(zero.f1, 4.0 / 5);
  const auto one = class_score(matrix, 1);  // 1 hit, 2 pictures, 2 predictions
  EXPECT_DOUBLE_EQ(one.precision, 0.5);
  EXPECT_DOUBLE_EQ(one.f1, 0.5);
  const auto two = class_score(matrix, 2);  // no hit, 1 picture, 1 prediction
  EXPECT_EQ(two.f1, 0);
  const auto absent = class_score(matrix, 5);
  EXPECT_EQ(absent.precision + absent.recall + absent.f1, 0);
}

// As sklearn.metrics.classification_report(truth, predicted, labels=[0, 1, 2]) says.
TEST(ClassScore, AveragesByClassAndBySupport) {
  const auto matrix = example();
  const std::vector scores = {class_score(matrix, 0), class_score(matrix, 1), class_score(matrix, 2)};
  const auto macro = macro_average(scores);
  EXPECT_DOUBLE_EQ(macro.precision, (1 + 0.5 + 0) / 3);
  EXPECT_DOUBLE_EQ(macro.recall, (2.0 / 3 + 0.5 + 0) / 3);
  EXPECT_DOUBLE_EQ(macro.f1, (0.8 + 0.5 + 0) / 3);
  const auto weighted = weighted_average(scores);
  EXPECT_DOUBLE_EQ(weighted.precision, (3 * 1 + 2 * 0.5) / 6);
  EXPECT_DOUBLE_EQ(weighted.recall, 3.0 / 6);
  EXPECT_DOUBLE_EQ(weighted.f1, (3 * 0.8 + 2 * 0.5) / 6);
  EXPECT_EQ(macro_average({}).f1, 0);
}

}  // namespace
}  // namespace nunchi::metrics
