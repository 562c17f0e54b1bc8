#include "formats/embedded_weights.h"

#include <gmock/gmock.h>

#include <cstring>
#include <filesystem>

#include "core/error.h"

namespace nunchi::formats {
namespace {

const std::string file = NUNCHI_SOURCE_DIR "/tests/golden/cases/vit_classifier/model/model.safetensors";

TEST(EmbeddedWeights, AreTheFilesOwn) {
  const auto from_disk = open_weights(file);
  const auto bytes = read_file(file, 1 << 24);
  const auto embedded = embedded_weights(bytes, "bundled");
  ASSERT_EQ(embedded.names(), from_disk.names());
  for (const auto& name : embedded.names()) {
    const auto *expected = from_disk.find(name), *found = embedded.find(name);
    EXPECT_EQ(found->shape, expected->shape);
    ASSERT_EQ(found->bytes.size(), expected->bytes.size());
    EXPECT_EQ(std::memcmp(found->bytes.data(), expected->bytes.data(), found->bytes.size()), 0) << name;
  }
  embedded.check();
}

TEST(EmbeddedWeights, LeaveNoFileOpen) {
  const auto bytes = read_file(file, 1 << 24);
  const auto open_files = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  };
  const auto before = open_files();
  for (int i = 0; i < 5; ++i) embedded_weights(bytes, "bundled");
  EXPECT_EQ(open_files(), before);
}

TEST(EmbeddedWeights, SayWhoseTheyAre) {
  try {
    embedded_weights("no safetensors file", "nunchi-vit");
    FAIL() << "these are no weights";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::StartsWith("nunchi-vit"));
  }
}

}  // namespace
}  // namespace nunchi::formats
