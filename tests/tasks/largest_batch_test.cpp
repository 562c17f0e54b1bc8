#include "tasks/largest_batch.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace nunchi::tasks {
namespace {

using Memory = std::function<std::optional<std::uint64_t>(std::int64_t)>;

// What every search promises, whatever the memory is like. Returns the batch.
std::int64_t checked(const BatchSearch& search, const Memory& memory_of, std::size_t most_trials = 12) {
  const auto found = find_largest_batch(search, memory_of);
  const auto tried = [&](std::int64_t batch) {
    return std::ranges::any_of(found.trials, [&](const BatchTrial& trial) { return trial.batch == batch; });
  };
  const auto fits = [&](std::int64_t batch) {
    const auto memory = memory_of(batch);
    return memory && *memory <= search.limit;
  };
  if (found.batch > 0) {
    EXPECT_TRUE(tried(found.batch) && fits(found.batch)) << found.batch;
  }
  if (found.batch < search.most) {
    EXPECT_TRUE(tried(found.batch + 1) && !fits(found.batch + 1)) << found.batch;
  }
  for (const auto& trial : found.trials) {
    EXPECT_LE(trial.batch, search.most);
    EXPECT_EQ(trial.memory, memory_of(trial.batch));
  }
  EXPECT_LE(found.trials.size(), most_trials);
  return found.batch;
}

Memory linear(std::uint64_t base, std::uint64_t each) {
  return [=](std::int64_t batch) { return base + each * static_cast<std::uint64_t>(batch); };
}

TEST(LargestBatch, IsExactWhereMemoryGrowsEvenly) {
  for (const std::uint64_t batch : {1, 2, 3, 87, 256, 500, 1999}) {
    for (const std::uint64_t rest : {0, 6}) {
      const auto limit = 300 + 7 * batch + rest;
      EXPECT_EQ(checked({.limit = limit, .most = 2000}, linear(300, 7)), static_cast<std::int64_t>(batch));
    }
  }
}

TEST(LargestBatch, IsTheLastThatIsTriedWhereAllFit) {
  EXPECT_EQ(checked({.limit = 1'000'000, .most = 500}, linear(300, 7)), 500);
  EXPECT_EQ(checked({.limit = 1'000'000, .most = 1}, linear(300, 7)), 1);
}

TEST(LargestBatch, IsNoneWhereOnePictureDoesNotFit) {
  const auto found = find_largest_batch({.limit = 306}, linear(300, 7));
  EXPECT_EQ(found.batch, 0);
  EXPECT_EQ(found.trials.size(), 1u);
}

// Other kernels from some batch on, buffers that double, a peak of loading that hides the first pictures.
TEST(LargestBatch, IsExactWhereMemoryIsNotLinear) {
  const Memory jump = [](std::int64_t batch) {
    return 100u + 3u * static_cast<std::uint64_t>(batch) + (batch > 40) * 900u;
  };
  EXPECT_EQ(checked({.limit = 500, .most = 4096}, jump, 30), 40);
  const Memory square = [](std::int64_t batch) { return static_cast<std::uint64_t>(batch * batch); };
  EXPECT_EQ(checked({.limit = 1'000'000, .most = 4096}, square, 30), 1000);
  const Memory floor = [](std::int64_t batch) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(900, 10 * batch));
  };
  EXPECT_EQ(checked({.limit = 1000, .most = 4096}, floor, 30), 100);
  const Memory steps = [](std::int64_t batch) { return 64u * static_cast<std::uint64_t>((batch + 63) / 64); };
  EXPECT_EQ(checked({.limit = 640, .most = 4096}, steps, 30), 640);
}

TEST(LargestBatch, WhatFailsDoesNotFit) {
  const Memory killed = [](std::int64_t batch) -> std::optional<std::uint64_t> {
    if (batch > 123) return std::nullopt;
    return 10 * static_cast<std::uint64_t>(batch);
  };
  EXPECT_EQ(checked({.limit = 1'000'000, .most = 4096}, killed, 30), 123);
}

// Far beyond the limit the machine would swap or kill.
TEST(LargestBatch, NeverTriesFarMoreThanWhatHasFitted) {
  const auto found = find_largest_batch({.limit = 300 + 7 * 100, .most = 4096}, linear(300, 7));
  std::int64_t fitted = 1;
  for (const auto& trial : found.trials) {
    EXPECT_LE(trial.batch, 8 * fitted);
    if (*trial.memory <= 1000) fitted = std::max(fitted, trial.batch);
  }
}

}  // namespace
}  // namespace nunchi::tasks
