#include "core/memory_file.h"

#include <gtest/gtest.h>

#include "core/file.h"

namespace nunchi {
namespace {

TEST(MemoryFile, HoldsItsBytesUnderAPath) {
  const std::string bytes(3 << 20, 'x');
  const MemoryFile file(bytes, "three megabytes"), empty("", "nothing");
  EXPECT_EQ(read_file(file.path(), 4 << 20), bytes);
  EXPECT_EQ(std::filesystem::file_size(empty.path()), 0u);
}

TEST(MemoryFile, IsGoneWithItsObject) {
  std::filesystem::path path;
  {
    const MemoryFile file("bytes", "short-lived");
    path = file.path();
    EXPECT_TRUE(std::filesystem::exists(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace nunchi
