#include "core/gpu.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace nunchi {
namespace {

TEST(Gpus, AreThoseOfTheDriver) {
  const auto found = gpus();
  if (!std::filesystem::exists("/proc/driver/nvidia/gpus") && !std::filesystem::exists("/dev/nvidia0")) {
    EXPECT_TRUE(found.empty());
    GTEST_SKIP() << "this machine has no GPU";
  }
  ASSERT_FALSE(found.empty());
  for (const auto& gpu : found) {
    EXPECT_NE(gpu.name, "");
    EXPECT_GT(gpu.memory, 1'000'000'000u);
    EXPECT_GE(gpu.major_version, 3);
    RecordProperty("gpu", gpu.name);
  }
}

}  // namespace
}  // namespace nunchi
