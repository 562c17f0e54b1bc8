#include "core/new_folder.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "core/file.h"
#include "temporary_folder.h"

namespace nunchi {
namespace {

namespace fs = std::filesystem;
using Existing = NewFolder::Existing;
using testing::HasSubstr;

class NewFolderTest : public testing::Test {
 protected:
  fs::path target() const { return folder.path() / "out"; }
  std::string said() const { return read_file(target() / "said", 100); }
  std::size_t entries() const { return std::distance(fs::directory_iterator(folder.path()), {}); }
  static std::string refusal(const fs::path& path, Existing existing) {
    try {
      const NewFolder refused(path, existing);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      return error.what();
    }
    return "";
  }

  TemporaryFolder folder;
};

TEST_F(NewFolderTest, AppearsWhenItIsPutInPlace) {
  NewFolder out(target() / "", Existing::refused);
  write_file(out.path() / "said", "new");
  EXPECT_FALSE(fs::exists(target()));
  out.put_in_place();
  EXPECT_EQ(said(), "new");
  EXPECT_EQ(entries(), 1u);
}

TEST_F(NewFolderTest, LeavesNothingWhereTheWorkFails) {
  { const NewFolder out(target(), Existing::replaced); }
  EXPECT_EQ(entries(), 0u);
}

TEST_F(NewFolderTest, RefusesFilesThatAreThere) {
  fs::create_directory(target());
  EXPECT_EQ(refusal(target(), Existing::refused), "");  // an empty one is as good as none
  write_file(target() / "said", "old");
  EXPECT_THAT(refusal(target(), Existing::refused), HasSubstr("expected a new or an empty folder"));
  EXPECT_THAT(refusal(target() / "said", Existing::refused), HasSubstr("expected a new or an empty folder"));
  EXPECT_EQ(said(), "old");
}

TEST_F(NewFolderTest, RefusesFilesThatCameMeanwhile) {
  NewFolder out(target(), Existing::refused);
  fs::create_directory(target());
  write_file(target() / "said", "other");
  EXPECT_THROW(out.put_in_place(), Error);
  EXPECT_EQ(said(), "other");
}

TEST_F(NewFolderTest, ReplacesAllThatWasThere) {
  fs::create_directory(target());
  write_file(target() / "said", "old");
  write_file(target() / "more", "old");
  NewFolder out(target(), Existing::replaced);
  write_file(out.path() / "said", "new");
  EXPECT_EQ(said(), "old");
  out.put_in_place();
  EXPECT_EQ(said(), "new");
  EXPECT_FALSE(fs::exists(target() / "more"));
  EXPECT_EQ(entries(), 1u);
}

TEST_F(NewFolderTest, BeginsAnewWhereAKilledProcessStopped) {
  fs::create_directory(target().string() + ".tmp");
  write_file(target().string() + ".tmp/half", "x");
  NewFolder out(target(), Existing::replaced);
  EXPECT_TRUE(fs::is_empty(out.path()));
}

TEST_F(NewFolderTest, OneWriterAtATime) {
  const NewFolder first(target(), Existing::replaced);
  write_file(first.path() / "said", "first");
  EXPECT_THAT(refusal(target(), Existing::replaced), HasSubstr("another process is writing it"));
  EXPECT_TRUE(fs::exists(first.path() / "said"));
}

TEST_F(NewFolderTest, NamesTheFolderThatCannotBeMade) {
  write_file(folder.path() / "file", "x");
  EXPECT_THAT(refusal(folder.path() / "file" / "out", Existing::replaced), HasSubstr("out.tmp: cannot be made"));
}

}  // namespace
}  // namespace nunchi
