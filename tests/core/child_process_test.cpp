#include "core/child_process.h"

#include <gtest/gtest.h>

#include <csignal>
#include <vector>

namespace nunchi {
namespace {

TEST(ChildProcess, ReturnsWhatTheWorkSays) {
  const std::string large(1 << 20, 'x');  // more than a pipe holds
  const auto result = run_in_child([&] { return large; });
  EXPECT_TRUE(result.finished);
  EXPECT_EQ(result.output, large);
}

TEST(ChildProcess, MeasuresItsOwnMemory) {
  constexpr std::size_t size = 200'000'000;
  const auto use = [](std::size_t bytes) {
    return run_in_child([=] {
             const std::vector<char> memory(bytes, 1);
             return std::to_string(memory[bytes / 2]);
           })
        .peak_memory;
  };
  const auto small = use(1000), large = use(size), small_again = use(1000);
  EXPECT_GT(large, small + size * 9 / 10);
  EXPECT_LT(large, small + size * 12 / 10);
  EXPECT_LT(small_again, small + size / 10);  // nothing stays
}

TEST(ChildProcess, TellsThatItWasKilled) {
  const auto result = run_in_child([] {
    std::raise(SIGKILL);
    return std::string("never");
  });
  EXPECT_FALSE(result.finished);
  EXPECT_EQ(result.signal, SIGKILL);
  EXPECT_EQ(result.output, "");
}

}  // namespace
}  // namespace nunchi
