#include "core/process_time.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace nunchi {
namespace {

TEST(ProcessTime, RunsWithTheClock) {
  const double before = seconds_since_process_start();
  EXPECT_GE(before, 0);
  EXPECT_LT(before, 3600);
  const auto begin = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  const double passed = seconds_since_process_start() - before;
  const std::chrono::duration<double> expected = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(passed, 0.05);
  EXPECT_LE(passed, expected.count() + 0.02);
}

}  // namespace
}  // namespace nunchi
