#include "core/latest.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace nunchi {
namespace {

TEST(Latest, IsMadeOncePerChangeOfItsKey) {
  Latest<int, int> squares;
  int made = 0;
  const auto of = [&](int key) {
    return squares.of(key, [&] {
      ++made;
      return key * key;
    });
  };
  EXPECT_EQ(of(3), 9);
  EXPECT_EQ(of(3), 9);
  EXPECT_EQ(made, 1);
  EXPECT_EQ(of(4), 16);
  EXPECT_EQ(of(3), 9);
  EXPECT_EQ(made, 3);
  squares.forget();
  EXPECT_EQ(of(3), 9);
  EXPECT_EQ(made, 4);
}

TEST(Latest, BelongsToTheKeyWhoeverAsks) {
  Latest<int, std::vector<int>> rows;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2000; ++i) {
        const int key = (i / 10 + t) % 3;
        if (rows.of(key, [&] { return std::vector<int>(100, key); }) != std::vector<int>(100, key)) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace nunchi
