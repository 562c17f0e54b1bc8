#include "train/loss.h"

#include <ATen/ops/log_softmax.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include <cmath>

#include "ops/compare.h"

namespace nunchi::train {
namespace {

Tensor labels(std::initializer_list<std::int64_t> values) {
  Tensor all = at::zeros({static_cast<std::int64_t>(values.size())}, at::kLong);
  std::int64_t i = 0;
  for (const auto value : values) all[i++].fill_(value);
  return all;
}

TEST(CrossEntropy, IsTheLogOfTheClassesWhereNothingIsKnown) {  // R098: ln 10
  EXPECT_NEAR(cross_entropy(at::zeros({4, 10}), labels({0, 3, 9, 9})).item<double>(), std::log(10.0), 1e-6);
}

TEST(CrossEntropy, MixesInTheUniformDistribution) {
  const Tensor logits = random({3, 5}, 1), targets = labels({4, 0, 2});
  const Tensor logs = at::log_softmax(logits.to(at::kDouble), 1);
  double expected = 0;
  for (int i = 0; i < 3; ++i) {
    const auto own = logs[i][targets[i].item<std::int64_t>()].item<double>();
    expected -= (0.9 * own + 0.1 * logs[i].mean().item<double>()) / 3;
  }
  EXPECT_NEAR(cross_entropy(logits, targets, 0.1).item<double>(), expected, 1e-6);
  const Tensor shares = at::zeros({3, 5}).scatter_(1, targets.unsqueeze(1), 1);
  EXPECT_NEAR(cross_entropy(logits, shares, 0.1).item<double>(), expected, 1e-6);
}

TEST(CrossEntropy, IsInFp32) {
  const Tensor logits = random({3, 5}, 1, at::kBFloat16);
  const Tensor loss = cross_entropy(logits, labels({4, 0, 2}));
  EXPECT_EQ(loss.scalar_type(), at::kFloat);
  EXPECT_TRUE(same(loss, cross_entropy(logits.to(at::kFloat), labels({4, 0, 2}))));
}

TEST(CrossEntropy, RefusesAClassThatIsNotThere) {
  for (const std::int64_t label : {5, -1}) {
    EXPECT_THAT(
        [&] {
          cross_entropy(random({1, 5}, 1), labels({label}));
        },
        testing::ThrowsMessage<Error>(testing::HasSubstr("from 0 to 4, found " + std::to_string(label))));
  }
}

}  // namespace
}  // namespace nunchi::train
