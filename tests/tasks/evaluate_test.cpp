#include "tasks/evaluate.h"

#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <cmath>

namespace nunchi::tasks {
namespace {

using testing::ElementsAre;

const std::vector<std::string> labels = {"background", "tabby", "tiger cat", "dog"};

Tensor rows(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble).view({-1, static_cast<std::int64_t>(labels.size())});
}

// Three pictures of two classes, the model has two more.
TEST(Evaluation, CountsTheDatasetsClassesFirst) {
  Evaluation evaluation({"dog", "tabby"}, labels, {.classes = {{3}, {1}}, .remarks = {}}, 2);
  evaluation.add(rows({0.1, 0.2, 0.0, 0.7,    // dog, right
                       0.6, 0.3, 0.1, 0.0}),  // tabby, taken for background, second
                 std::vector<std::int64_t>{0, 1});
  evaluation.add(rows({0.1, 0.2, 0.6, 0.1}), std::vector<std::int64_t>{0});  // dog, taken for tiger cat, third
  const auto result = evaluation.result();
  EXPECT_THAT(result.names, ElementsAre("dog", "tabby", "background", "tiger cat"));
  EXPECT_EQ(result.top1.hits, 1);
  EXPECT_EQ(result.top_k.hits, 2);
  EXPECT_EQ(result.top1.total, 3);
  ASSERT_EQ(result.classes.size(), 2u);
  EXPECT_DOUBLE_EQ(result.classes[0].recall, 0.5);
  EXPECT_DOUBLE_EQ(result.classes[0].precision, 1);
  EXPECT_EQ(result.confusion.at(0, 3), 1);
  EXPECT_EQ(result.confusion.at(1, 2), 1);
  EXPECT_NEAR(result.calibration.negative_log_likelihood, -(std::log(0.7) + std::log(0.3) + std::log(0.1)) / 3, 1e-12);
  EXPECT_DOUBLE_EQ(result.macro.recall, 0.25);
}

TEST(Evaluation, AddsTheProbabilitiesOfAClassThatIsSeveral) {
  Evaluation evaluation({"cat", "dog"}, labels, {.classes = {{1, 2}, {3}}, .remarks = {}}, 5);
  evaluation.add(rows({0.0, 0.3, 0.3, 0.4}), std::vector<std::int64_t>{0});
  const auto result = evaluation.result();
  EXPECT_EQ(result.top1.hits, 1);  // 0.6 against 0.4, though no class of the model is above 0.4
  EXPECT_THAT(result.names, ElementsAre("cat", "dog", "background"));
  EXPECT_NEAR(result.calibration.negative_log_likelihood, -std::log(0.6), 1e-12);
}

}  // namespace
}  // namespace nunchi::tasks
