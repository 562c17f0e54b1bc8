#include "metrics/retrieval.h"

#include <gtest/gtest.h>

namespace nunchi::metrics {
namespace {

TEST(Retrieval, IsThePrecisionAtEveryFind) {
  RetrievalMeter meter(2);
  meter.add({true, false, true, false});   // precisions 1 and 2/3
  meter.add({false, true, false, false});  // 1/2
  const auto result = meter.result();
  EXPECT_EQ(result.queries, 2);
  EXPECT_DOUBLE_EQ(result.precision_at_1, 0.5);
  EXPECT_DOUBLE_EQ(result.precision_at_k, 0.5);
  EXPECT_DOUBLE_EQ(result.mean_average_precision, ((1 + 2.0 / 3) / 2 + 0.5) / 2);
}

TEST(Retrieval, AQueryWithNothingToFindCountsForItself) {
  RetrievalMeter meter(10);
  meter.add({false, false});
  meter.add({});
  meter.add({true});
  const auto result = meter.result();
  EXPECT_EQ(result.queries, 1);
  EXPECT_EQ(result.without_any, 2);
  EXPECT_DOUBLE_EQ(result.precision_at_k, 1) << "of fewer than k, all";
  EXPECT_DOUBLE_EQ(result.mean_average_precision, 1);
  EXPECT_DOUBLE_EQ(RetrievalMeter(3).result().mean_average_precision, 0);
}

}  // namespace
}  // namespace nunchi::metrics
