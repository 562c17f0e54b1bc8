#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <fstream>
#include <numeric>
#include <thread>

#include "core/file.h"
#include "core/in_child.h"
#include "core/temporary_folder.h"

namespace nunchi {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr std::size_t large = 1 << 20;

unsigned sum(std::span<const std::byte> bytes) {
  return std::accumulate(bytes.begin(), bytes.end(), 0u,
                         [](unsigned total, std::byte byte) { return total + std::to_integer<unsigned>(byte); });
}

TEST(MappedFile, GivesTheBytesOfTheFile) {
  const TemporaryFolder folder;
  write_file(folder / "a", "sixteen bytes ok");
  for (const Access access : {Access::normal, Access::sequential, Access::will_need, Access::huge_pages}) {
    const auto file = MappedFile::open(folder / "a", {.access = access});
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()), "sixteen bytes ok");
    EXPECT_EQ(file.path(), folder / "a");
    file.check();
  }
}

TEST(MappedFile, MovesWithItsMapping) {
  const TemporaryFolder folder;
  write_file(folder / "a", "aaaa");
  write_file(folder / "b", "bbbbbbbb");
  auto first = MappedFile::open(folder / "a");
  auto second = std::move(first);
  EXPECT_EQ(second.bytes().size(), 4u);
  second = MappedFile::open(folder / "b");
  EXPECT_EQ(second.bytes().size(), 8u);
  EXPECT_EQ(sum(second.bytes()), 8u * 'b');
  second.check();
}

TEST(MappedFile, SaysWhatIsWrongWithAPath) {
  const TemporaryFolder folder;
  write_file(folder / "empty", "");
  const auto message = [](const fs::path& path) { return error_of([&] { MappedFile::open(path); }); };
  EXPECT_THAT(message(folder.path()), HasSubstr("expected a file, found a folder"));
  EXPECT_THAT(message(folder / "empty"), HasSubstr("empty"));
  EXPECT_THAT(message(folder / "missing"), HasSubstr("No such file"));
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(message(folder / "pipe"), HasSubstr("pipe"));
  EXPECT_THAT(message(folder / "empty"), HasSubstr((folder / "empty").string()));
}

TEST(MappedFile, OpenErrorHasTheKindThatWasAskedFor) {
  try {
    MappedFile::open("/nowhere", {.error_kind = ErrorKind::input});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
  }
}

TEST(MappedFile, UnreadableFileIsAnError) {
  const TemporaryFolder folder;
  write_file(folder / "secret", "text");
  fs::permissions(folder.path(), fs::perms::all);
  fs::permissions(folder / "secret", fs::perms::none);
  const auto end = in_child([&] {
    drop_root();
    return error_of([&] { MappedFile::open(folder / "secret"); }).find("Permission denied") == std::string::npos;
  });
  EXPECT_EQ(end.exit_code, 0);
}

TEST(MappedFile, SurvivesAFileThatShrinks) {
  const TemporaryFolder folder;
  write_file(folder / "a", std::string(large, '\1'));
  const auto file = MappedFile::open(folder / "a");
  const auto other = MappedFile::open(folder / "a");
  fs::resize_file(folder / "a", 8192);
  EXPECT_EQ(sum(file.bytes()), 8192u);  // what is lost reads as zero
  EXPECT_THAT(error_of([&] { file.check(); }), HasSubstr("1048576 bytes became 8192"));
  fs::resize_file(folder / "a", large);
  EXPECT_THAT(error_of([&] { file.check(); }), HasSubstr("the file shrank while it was read"))
      << "what was read is wrong even if the file has grown again";
  EXPECT_EQ(error_of([&] { other.check(); }), "") << "this one read nothing while the file was short";
}

TEST(MappedFile, SurvivesShrinkingWhileManyThreadsRead) {
  const TemporaryFolder folder;
  write_file(folder / "a", std::string(large, '\1'));
  const auto file = MappedFile::open(folder / "a");
  std::vector<std::thread> readers;
  for (std::size_t i = 0; i < 8; ++i) {
    readers.emplace_back([&, i] {
      for (int round = 0; round < 20; ++round) sum(file.bytes().subspan(i * 4096));
    });
  }
  fs::resize_file(folder / "a", 4096);
  for (auto& reader : readers) reader.join();
  EXPECT_THAT(error_of([&] { file.check(); }), HasSubstr("shrank"));
}

TEST(MappedFile, WatchesMoreMappingsThanOneBlockOfTheTable) {
  const TemporaryFolder folder;
  write_file(folder / "a", std::string(8192, '\1'));
  std::vector<MappedFile> files;
  for (int i = 0; i < 200; ++i) files.push_back(MappedFile::open(folder / "a"));
  fs::resize_file(folder / "a", 4096);
  EXPECT_EQ(sum(files.front().bytes()), 4096u);
  EXPECT_EQ(sum(files.back().bytes()), 4096u);
  EXPECT_NE(error_of([&] { files.back().check(); }), "");
}

// Maps a file of its own, cuts it off and reads behind its end.
void cause_foreign_bus_error(const fs::path& path) {
  const int descriptor = open(path.c_str(), O_RDWR);
  auto* data = static_cast<volatile char*>(mmap(nullptr, 4096, PROT_READ, MAP_SHARED, descriptor, 0));
  if (ftruncate(descriptor, 0) != 0) return;
  static_cast<void>(data[0]);
}

TEST(MappedFile, LeavesForeignBusErrorsToTheSystem) {
  const TemporaryFolder folder;
  write_file(folder / "ours", "text");
  write_file(folder / "theirs", std::string(4096, '\1'));
  const auto file = MappedFile::open(folder / "ours");
  const auto end = in_child([&] {
    cause_foreign_bus_error(folder / "theirs");
    return 0;
  });
  EXPECT_NE(end.exit_code, 0) << "the child must not go on with a wrong page";
}

TEST(MappedFile, ASentBusErrorEndsTheProcess) {
  const TemporaryFolder folder;
  write_file(folder / "ours", "text");
  const auto file = MappedFile::open(folder / "ours");
  EXPECT_NE(in_child([] { return raise(SIGBUS); }).exit_code, 0);
}

// The third number of statm: pages of this process that belong to files.
long resident_file_pages() {
  std::ifstream statm("/proc/self/statm");
  long total = 0;
  long resident = 0;
  long shared = 0;
  statm >> total >> resident >> shared;
  return shared;
}

TEST(MappedFile, ReleasedPagesAreReadAgain) {
  const TemporaryFolder folder;
  write_file(folder / "a", std::string(large, '\1'));
  const auto file = MappedFile::open(folder / "a");
  EXPECT_EQ(sum(file.bytes()), large);
  const long before = resident_file_pages();
  file.release(file.bytes().subspan(100, large - 200));
  EXPECT_LT(resident_file_pages(), before - 200);
  EXPECT_EQ(sum(file.bytes()), large);
  file.check();
}

}  // namespace
}  // namespace nunchi
