// The files of tests/fuzz/corpus and what earlier fuzzing found, through the functions that libFuzzer calls.
#include <gtest/gtest.h>

#include "core/file.h"
#include "fuzz/targets.h"

namespace nunchi::fuzz {
namespace {

using Target = void (*)(std::span<const std::byte>);

void replay(const std::string& name, Target target) {
  constexpr std::uint64_t most_bytes = 1 << 20;
  const auto files = list_files(std::filesystem::path(NUNCHI_SOURCE_DIR) / "tests/fuzz/corpus" / name);
  EXPECT_GT(files.size(), 3u);
  for (const auto& path : files) {
    const std::string whole = read_file(path, most_bytes);
    const auto bytes = std::as_bytes(std::span(whole));
    EXPECT_NO_THROW(target(bytes)) << path;
    for (const std::size_t size : {bytes.size() / 2, bytes.size() - bytes.size() / 8}) {
      EXPECT_NO_THROW(target(bytes.first(size))) << path << " cut to " << size;
    }
  }
}

TEST(FuzzCorpus, Safetensors) { replay("safetensors", safetensors); }
TEST(FuzzCorpus, Npy) { replay("npy", npy); }
TEST(FuzzCorpus, ShardIndex) { replay("shard_index", shard_index); }
TEST(FuzzCorpus, Zip) { replay("zip", zip); }
TEST(FuzzCorpus, Pickle) { replay("pickle", pickle); }
#ifdef NUNCHI_FUZZ_IMAGE
TEST(FuzzCorpus, Image) { replay("image", image); }
#endif

}  // namespace
}  // namespace nunchi::fuzz
