#include "core/asset.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/error.h"
#include "core/file.h"

namespace nunchi {
namespace {

// Beside a bundled model lie its card and its log, which only readers of the repository need.
bool is_embedded(const std::filesystem::path& kind, const std::filesystem::path& file) {
  const std::set<std::string> of_a_model = {"config.json", "preprocessor_config.json", "model.safetensors",
                                            "evaluation.json"};
  return kind == "bundled" ? of_a_model.contains(file.filename()) : file.extension() != ".md";
}

TEST(Asset, EveryFileBelowAssetsIsEmbeddedByteForByte) {
  const std::filesystem::path folder = std::filesystem::path(NUNCHI_SOURCE_DIR) / "assets";
  std::size_t files = 0;
  for (const char* kind : {"bundled", "labels", "models", "photos"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / kind)) {
      if (!entry.is_regular_file() || !is_embedded(kind, entry.path())) continue;
      const std::string name = entry.path().lexically_relative(folder).string();
      ASSERT_TRUE(has_asset(name)) << name;
      EXPECT_EQ(asset(name), read_file(entry.path(), 100 << 20)) << name;
      EXPECT_EQ(*asset(name).end(), '\0') << name;
      ++files;
    }
  }
  EXPECT_GE(files, 5u);
  EXPECT_EQ(assets().size(), files);
}

TEST(Asset, ListsOneFolderInOrder) {
  std::vector<std::string_view> names;
  for (const Asset* file : assets_in("labels/")) {
    names.push_back(file->name);
  }
  EXPECT_THAT(names, testing::Contains("labels/imagenet.txt"));
  EXPECT_TRUE(std::ranges::is_sorted(names));
  EXPECT_TRUE(assets_in("nothing/").empty());
}

TEST(Asset, AnUnknownNameIsOurOwnBug) {
  EXPECT_FALSE(has_asset("labels/none.txt"));
  EXPECT_THROW(asset("labels/none.txt"), Error);
}

}  // namespace
}  // namespace nunchi
