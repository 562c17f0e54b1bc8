// Looking after the cache: what is listed, what is deleted and what is kept, what is found damaged.
#include "remote/cache_tools.h"

#include "remote/pulled.h"

namespace nunchi::remote {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
namespace fs = std::filesystem;

class CacheTools : public Pulled {
 protected:
  // The model again, with other weights: the old snapshot has no branch any more.
  std::string publish_newer() {
    files_["model.safetensors"] = random_bytes(1000, 7);
    return hub_.publish("org/name", files_);
  }

  std::vector<std::string> pruned(const PruneOptions& options = {}) {
    std::vector<std::string> what;
    for (const auto& file : prune_cache(settings_.cache, options).deleted) what.push_back(file.what);
    return what;
  }

  std::map<FileState, std::vector<fs::path>> checked() {
    std::map<FileState, std::vector<fs::path>> files;
    verify_cache(settings_.cache, [&](const CheckedFile& file) { files[file.state].push_back(file.path); }, {});
    return files;
  }
};

TEST_F(CacheTools, ListsEverySnapshot) {
  pull();
  const auto newer = publish_newer();
  pull();
  const auto snapshots = list_cache(settings_.cache);
  ASSERT_EQ(snapshots.size(), 2u);
  for (const auto& snapshot : snapshots) {
    EXPECT_EQ(snapshot.repository, "org/name");
    EXPECT_EQ(snapshot.files, 3u);
    EXPECT_TRUE(snapshot.usable);
    EXPECT_GT(snapshot.modified, 1'600'000'000);
    if (snapshot.commit == newer)
      EXPECT_THAT(snapshot.references, ElementsAre("main"));
    else
      EXPECT_THAT(snapshot.references, IsEmpty());
    EXPECT_EQ(snapshot.bytes > 300'000, snapshot.commit == commit_);
  }
}

TEST_F(CacheTools, AnAbsentCacheIsEmpty) {
  EXPECT_THAT(list_cache(settings_.cache), IsEmpty());
  EXPECT_THAT(pruned(), IsEmpty());
  EXPECT_THAT(checked(), IsEmpty());
}

TEST_F(CacheTools, OtherFoldersAreLeftAlone) {
  pull();
  fs::create_directories(settings_.cache / "datasets--org--data/blobs");
  write_file(settings_.cache / "datasets--org--data/blobs/x.incomplete", "x");
  fs::create_directories(settings_.cache / "blobs/ab");
  EXPECT_EQ(list_cache(settings_.cache).size(), 1u);
  EXPECT_THAT(pruned(), IsEmpty());
}

TEST_F(CacheTools, PruneDeletesPartsAndBlobsWithoutSnapshot) {
  const auto snapshot = pull();
  write_file(cached_().partial_blob(std::string(64, 'a')), "part");
  write_file(cached_().folder() / "blobs" / (std::string(64, 'b') + ".12345678.incomplete"), "part of Python's");
  write_file(cached_().blob(std::string(64, 'c')), "blob");
  EXPECT_THAT(pruned({.dry_run = true}),
              ElementsAre("part of a download", "part of a download", "blob of no snapshot"));
  EXPECT_TRUE(fs::exists(cached_().blob(std::string(64, 'c'))));
  EXPECT_EQ(pruned().size(), 3u);
  EXPECT_FALSE(fs::exists(cached_().blob(std::string(64, 'c'))));
  EXPECT_THAT(pruned(), IsEmpty());
  expect_whole(snapshot);
}

TEST_F(CacheTools, PruneKeepsWhatAnotherProcessWorksOn) {
  pull();
  const std::string etag(64, 'a');
  write_file(cached_().partial_blob(etag), "part");
  const FileLock held(cached_().lock(etag));
  const auto result = prune_cache(settings_.cache, {});
  EXPECT_THAT(result.deleted, IsEmpty());
  EXPECT_THAT(result.busy, ElementsAre(cached_().partial_blob(etag)));
}

TEST_F(CacheTools, DetachedSnapshotsGoOnlyWhenAsked) {
  const auto old = pull();
  publish_newer();
  const auto newer = pull();
  EXPECT_EQ(prune_cache(settings_.cache, {}).detached_kept, 1u);
  expect_whole(newer);
  EXPECT_TRUE(fs::exists(old / "model.safetensors"));
  EXPECT_EQ(pruned({.dry_run = true, .detached = true}).size(), 2u);
  EXPECT_TRUE(fs::exists(old / "model.safetensors"));
  EXPECT_THAT(pruned({.detached = true}), ElementsAre("snapshot of no branch", "blob of no snapshot"));
  EXPECT_FALSE(fs::exists(old));
  expect_whole(newer);
}

TEST_F(CacheTools, VerifyFindsDamage) {
  pull();
  auto files = checked();
  EXPECT_EQ(files[FileState::intact].size(), 3u);
  auto weights = content(weights_blob());
  weights[1000] = static_cast<char>(weights[1000] ^ 1);
  write_file(weights_blob(), weights);
  files = checked();
  EXPECT_THAT(files[FileState::damaged], ElementsAre(weights_blob()));
  EXPECT_EQ(files[FileState::intact].size(), 2u);
  fs::remove(weights_blob());
  files = checked();
  EXPECT_THAT(files[FileState::missing], ElementsAre(cached_().snapshot(commit_) / "model.safetensors"));
  pull();
  EXPECT_EQ(checked()[FileState::intact].size(), 3u);
}

TEST_F(CacheTools, FilesWithoutLinksAreNotChecked) {
  settings_.symlinks = false;
  pull();
  EXPECT_EQ(checked()[FileState::unchecked].size(), 3u);
}

}  // namespace
}  // namespace nunchi::remote
