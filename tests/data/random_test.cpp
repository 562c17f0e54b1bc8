#include "data/random.h"

#include <gmock/gmock.h>

#include <cmath>
#include <map>
#include <set>

namespace nunchi::data {
namespace {

using testing::ElementsAre;
using testing::Ne;

struct Moments {
  double mean = 0, deviation = 0;
};

template <class Draw>
Moments moments_of(Draw draw) {
  constexpr int draws = 200'000;
  double sum = 0, squares = 0;
  for (int i = 0; i < draws; ++i) {
    const double value = draw();
    sum += value;
    squares += value * value;
  }
  const double mean = sum / draws;
  return {mean, std::sqrt(squares / draws - mean * mean)};
}

// The known answers of the authors' Random123 library.
TEST(Random, BlocksAreThoseOfThePaper) {
  EXPECT_THAT(philox({0, 0, 0, 0}, {0, 0}), ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
  EXPECT_THAT(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
              ElementsAre(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));
  EXPECT_THAT(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
              ElementsAre(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1));
}

TEST(Random, AStreamIsTheBlocksOfItsCounter) {
  Random random(0x299f31d0a4093822, 0x85a308d3, 0x0370734413198a2e);
  for (const std::uint32_t counter : {0u, 1u, 2u}) {
    const auto block = philox({counter, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0});
    for (const std::uint32_t word : block) EXPECT_EQ(random.next(), word);
  }
}

TEST(Random, StreamsDifferInEachOfTheirNumbers) {
  std::set<std::uint32_t> first;
  for (std::uint64_t seed : {0, 1})
    for (std::uint64_t epoch : {0, 1})
      for (std::uint64_t sample : {0, 1}) first.insert(Random(seed, epoch, sample).next());
  EXPECT_EQ(first.size(), 8u);
}

TEST(Random, BelowIsUniformAndStaysBelow) {
  Random random(1, 2, 3);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70'000; ++i) ++counts.at(static_cast<std::size_t>(random.below(7)));
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 5 * std::sqrt(10'000 * 6 / 7.0));
  const std::int64_t large = std::int64_t{3} << 61;  // a quarter of all words would have to be drawn again
  int upper = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::int64_t drawn = random.below(large);
    ASSERT_TRUE(drawn >= 0 && drawn < large);
    upper += drawn >= large / 3 * 2;
  }
  EXPECT_NEAR(upper, 3333, 5 * std::sqrt(10'000 * 2 / 9.0));
}

TEST(Random, RealNumbersHaveTheirDistributions) {
  Random random(4, 5, 6);
  const auto uniform = moments_of([&] { return random.uniform(2, 5); });
  EXPECT_NEAR(uniform.mean, 3.5, 0.01);
  EXPECT_NEAR(uniform.deviation, 3 / std::sqrt(12), 0.01);
  const auto normal = moments_of([&] { return random.normal(); });
  EXPECT_NEAR(normal.mean, 0, 0.012);
  EXPECT_NEAR(normal.deviation, 1, 0.009);
  EXPECT_NEAR(moments_of([&] { return random.chance(0.3); }).mean, 0.3, 0.006);
}

TEST(Random, BetaHasItsMomentsForSmallAndLargeParameters) {
  Random random(7, 8, 9);
  for (const auto& parameters :
       std::vector<std::pair<double, double>>{{0.01, 0.01}, {0.2, 0.2}, {0.8, 0.8}, {1, 1}, {2, 5}}) {
    const double a = parameters.first, b = parameters.second;
    const auto beta = moments_of([&] { return random.beta(a, b); });
    const double mean = a / (a + b), variance = a * b / ((a + b) * (a + b) * (a + b + 1));
    EXPECT_NEAR(beta.mean, mean, 5 * std::sqrt(variance / 200'000)) << a;
    EXPECT_NEAR(beta.deviation, std::sqrt(variance), 0.004) << a;
  }
}

TEST(Random, PermutationsHoldEveryNumberOnce) {
  const auto order = permutation(1000, 3, 0);
  EXPECT_EQ(std::set<std::size_t>(order.begin(), order.end()).size(), 1000u);
  EXPECT_EQ(*std::ranges::max_element(order), 999u);
  EXPECT_EQ(permutation(1000, 3, 0), order);
  EXPECT_THAT(permutation(1000, 3, 1), Ne(order));
  EXPECT_THAT(permutation(1000, 4, 0), Ne(order));
}

TEST(Random, PermutationsOfThreeAreEquallyFrequent) {
  std::map<std::vector<std::size_t>, int> counts;
  for (std::uint64_t epoch = 0; epoch < 12'000; ++epoch) ++counts[permutation(3, 0, epoch)];
  EXPECT_EQ(counts.size(), 6u);
  for (const auto& [order, count] : counts) EXPECT_NEAR(count, 2000, 5 * std::sqrt(2000 * 5 / 6.0));
}

}  // namespace
}  // namespace nunchi::data
