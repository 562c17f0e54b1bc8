#include "draw/ticks.h"

#include <gmock/gmock.h>

#include <limits>

#include "core/error.h"

namespace nunchi::draw {
namespace {

using testing::ElementsAre;

TEST(Ticks, EncloseTheValuesWithRoundNumbers) {
  const auto ticks = nice_ticks(0.13, 2.31, 6);
  EXPECT_THAT(ticks.labels, ElementsAre("0.0", "0.5", "1.0", "1.5", "2.0", "2.5"));
  EXPECT_DOUBLE_EQ(ticks.values.back(), 2.5);
}

TEST(Ticks, StayBetweenTheEnds) {
  EXPECT_THAT(nice_ticks(1, 100, 6, {.inside = true}).labels, ElementsAre("20", "40", "60", "80", "100"));
  EXPECT_THAT(nice_ticks(1, 3, 12, {.inside = true, .whole_numbers = true}).labels, ElementsAre("1", "2", "3"));
}

TEST(Ticks, EqualEndsAndAllSizes) {
  EXPECT_GE(nice_ticks(0, 0, 5).values.size(), 2u);
  EXPECT_GE(nice_ticks(7, 7, 5).values.size(), 2u);
  for (const double size : {1e-300, 1e-9, 1e-3, 1.0, 1e6, 1e15}) {
    for (const int most : {2, 5, 12}) {
      const auto ticks = nice_ticks(-size, 1.7 * size, most);
      EXPECT_LE(ticks.values.front(), -size * 0.99999);
      EXPECT_GE(ticks.values.back(), 1.7 * size * 0.99999);
      EXPECT_LE(ticks.values.size(), static_cast<std::size_t>(most) + 2);
      EXPECT_EQ(ticks.labels.size(), ticks.values.size());
    }
  }
}

TEST(Ticks, AnEndThatIsNoNumberIsOurOwnBug) {
  EXPECT_THROW(nice_ticks(0, std::numeric_limits<double>::infinity(), 5), Error);
  EXPECT_THROW(nice_ticks(1, 0, 5), Error);
}

TEST(Ticks, OfALogarithmicAxisArePowersOfTenAndWhatIsBetween) {
  EXPECT_THAT(logarithmic_ticks(3, 40, 8).labels, ElementsAre("2", "5", "10", "20", "50"));
  EXPECT_THAT(logarithmic_ticks(0.02, 0.5, 8).labels, ElementsAre("0.02", "0.05", "0.1", "0.2", "0.5"));
  EXPECT_THAT(logarithmic_ticks(3, 400'000, 8).labels,
              ElementsAre("1", "10", "100", "1,000", "10,000", "100,000", "1,000,000"));
  EXPECT_THAT(logarithmic_ticks(3, 40, 8, {.inside = true}).labels, ElementsAre("5", "10", "20"));
  EXPECT_THAT(logarithmic_ticks(3, 4.5, 8, {.inside = true}).labels, ElementsAre("3.0", "3.5", "4.0", "4.5"));
  EXPECT_THAT(logarithmic_ticks(2, 2, 8).values, ElementsAre(2, 20));
  EXPECT_THROW(logarithmic_ticks(0, 1, 8), Error);
}

TEST(Ticks, LabelsHaveTheDecimalsOfTheStep) {
  EXPECT_EQ(format_number(20'000, 5000), "20,000");
  EXPECT_EQ(format_number(-1'234'567, 1), "-1,234,567");
  EXPECT_EQ(format_number(0.25, 0.05), "0.25");
  EXPECT_EQ(format_number(-0.0, 0.5), "0.0");
  EXPECT_EQ(format_number(0.5, 0.1, NumberFormat::percent), "50 %");
  EXPECT_EQ(format_number(2e-6, 1e-6), "2e-06");
  EXPECT_EQ(format_number(3e9, 1e9), "3e+09");
}

}  // namespace
}  // namespace nunchi::draw
