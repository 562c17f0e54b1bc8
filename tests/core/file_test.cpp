#include "core/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <thread>

#include "core/in_child.h"
#include "core/temporary_folder.h"

namespace nunchi {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr std::uint64_t any_size = 1 << 30;

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::string text_of(const fs::path& path) { return read_file(path, any_size); }

TEST(WriteAtomically, ReplacesTheFileAndKeepsItsMode) {
  const TemporaryFolder folder;
  write_file(folder / "a", "old");
  fs::permissions(folder / "a", fs::perms::owner_read | fs::perms::owner_write);
  write_atomically(folder / "a", [](Writer& out) {
    out.write("new ");
    out.write(std::as_bytes(std::span("text", 4)));
    EXPECT_EQ(out.written(), 8u);
  });
  EXPECT_EQ(text_of(folder / "a"), "new text");
  EXPECT_EQ(fs::status(folder / "a").permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_THAT(names_in(folder.path()), ElementsAre("a"));
}

TEST(WriteAtomically, OldFileStaysUntilTheLastByte) {
  const TemporaryFolder folder;
  write_file(folder / "a", "old");
  write_atomically(folder / "a", [&](Writer& out) {
    out.write("new");
    EXPECT_EQ(text_of(folder / "a"), "old");
  });
  EXPECT_EQ(text_of(folder / "a"), "new");
}

TEST(WriteAtomically, ThrowingLeavesNothingBehind) {
  const TemporaryFolder folder;
  write_file(folder / "a", "old");
  const auto interrupted = [](Writer& out) {
    out.write("half of it");
    throw Error(ErrorKind::interrupted, "stopped");
  };
  EXPECT_EQ(error_of([&] { write_atomically(folder / "a", interrupted); }), "stopped");
  EXPECT_EQ(error_of([&] { write_atomically(folder / "b", interrupted); }), "stopped");
  EXPECT_EQ(text_of(folder / "a"), "old");
  EXPECT_THAT(names_in(folder.path()), ElementsAre("a"));
}

TEST(WriteAtomically, KilledProcessLeavesTheOldFile) {
  const TemporaryFolder folder;
  write_file(folder / "a", "old");
  std::array<int, 2> started{};
  ASSERT_EQ(pipe(started.data()), 0);
  const pid_t child = start_child([&] {
    write_atomically(folder / "a", [&](Writer& out) {
      out.write(std::string(100000, 'x'));
      if (::write(started[1], "!", 1) == 1) std::this_thread::sleep_for(std::chrono::minutes(1));
    });
    return 0;
  });
  char signal = 0;
  ASSERT_EQ(::read(started[0], &signal, 1), 1);
  kill(child, SIGKILL);
  EXPECT_EQ(wait_for(child).signal, SIGKILL);
  close(started[0]);
  close(started[1]);
  EXPECT_EQ(text_of(folder / "a"), "old");
}

TEST(WriteAtomically, FullDiskIsAnErrorThatSaysHowMuchIsMissing) {
  EXPECT_THAT(error_of([] { write_file("/dev/full", "text"); }),
              testing::AllOf(HasSubstr("/dev/full"), HasSubstr("No space left"), HasSubstr("4 more")));
}

// A limit on the size of files stops the write in the middle, as a full disk does.
int write_over_limit(const fs::path& path) {
  signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{.rlim_cur = 100000, .rlim_max = 100000};
  setrlimit(RLIMIT_FSIZE, &limit);
  const auto message = error_of([&] {
    write_atomically(path, [&](Writer& out) {
      for (int i = 0; i < 10; ++i) out.write(std::string(100000, 'x'));
    });
  });
  return message.find("after 100000 bytes, 100000 more") != std::string::npos ? 0 : 1;
}

TEST(WriteAtomically, WriteThatStopsInTheMiddleLeavesTheOldFile) {
  const TemporaryFolder folder;
  write_file(folder / "a", "old");
  EXPECT_EQ(in_child([&] { return write_over_limit(folder / "a"); }).exit_code, 0);
  EXPECT_EQ(text_of(folder / "a"), "old");
  EXPECT_THAT(names_in(folder.path()), ElementsAre("a"));
}

enum DiskTest { passed = 0, failed = 1, not_allowed_here = 2 };

// In a child: a file system of 128 kB over `folder`, filled to the brim.
int fill_small_disk(const TemporaryFolder& folder) {
  if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("none", folder.path().c_str(), "tmpfs", 0, "size=128k") != 0) {
    return not_allowed_here;
  }
  write_file(folder / "a", "old");
  const auto message = error_of([&] { write_file(folder / "a", std::string(1 << 20, 'x')); });
  const bool explained = message.find("No space left on device after") != std::string::npos &&
                         message.find("Free some space") != std::string::npos;
  return explained && text_of(folder / "a") == "old" && names_in(folder.path()).size() == 1 ? passed : failed;
}

TEST(WriteAtomically, FullFileSystemKeepsTheOldFile) {
  const TemporaryFolder folder;
  const auto end = in_child([&] { return fill_small_disk(folder); });
  if (end.exit_code == not_allowed_here) GTEST_SKIP() << "mounting a small file system needs root";
  EXPECT_EQ(end.exit_code, passed);
}

TEST(WriteAtomically, ReservingFindsAFullDiskBeforeTheWork) {
  const TemporaryFolder folder;
  constexpr std::uint64_t more_than_any_disk = 1ull << 60;
  const auto fill = [](Writer& out) {
    out.reserve(more_than_any_disk);
    ADD_FAILURE() << "the reservation was granted";
  };
  EXPECT_THAT(error_of([&] { write_atomically(folder / "a", fill); }),
              HasSubstr("after 0 bytes, 1152921504606846976 more"));
  EXPECT_TRUE(names_in(folder.path()).empty());
}

TEST(WriteAtomically, ReadOnlyPlacesAreRefused) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "closed");
  write_file(folder / "closed/a", "old");
  write_file(folder / "locked", "old");
  fs::permissions(folder.path(), fs::perms::all);
  fs::permissions(folder / "closed", fs::perms::owner_read | fs::perms::others_read | fs::perms::others_exec);
  fs::permissions(folder / "locked", fs::perms::owner_read | fs::perms::others_read);
  const auto refused = [](const fs::path& path) {
    return error_of([&] { write_file(path, "new"); }).find("Permission denied") != std::string::npos;
  };
  const auto end = in_child([&] {
    drop_root();
    return refused(folder / "locked") && refused(folder / "closed/b") ? 0 : 1;
  });
  EXPECT_EQ(end.exit_code, 0);
  fs::permissions(folder / "closed", fs::perms::all);
  EXPECT_EQ(text_of(folder / "locked"), "old");
  EXPECT_THAT(names_in(folder / "closed"), ElementsAre("a"));
}

TEST(WriteAtomically, FoldersAndMissingFoldersAreRefused) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of([&] { write_file(folder.path(), "x"); }), HasSubstr("it is a folder"));
  EXPECT_THAT(error_of([&] { write_file(folder / "no/a", "x"); }), HasSubstr("No such file or directory"));
}

TEST(WriteAtomically, FollowsALink) {
  const TemporaryFolder folder;
  write_file(folder / "real", "old");
  fs::create_symlink("real", folder / "link");
  write_file(folder / "link", "new");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(text_of(folder / "real"), "new");
}

TEST(WriteAtomically, WritesIntoAPipe) {
  const TemporaryFolder folder;
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  std::string received;
  std::thread reader([&] { received = text_of(folder / "pipe"); });
  write_file(folder / "pipe", "through the pipe");
  reader.join();
  EXPECT_EQ(received, "through the pipe");
  EXPECT_TRUE(fs::is_fifo(folder / "pipe"));
}

TEST(WriteAtomically, ManyThreadsLeaveOneWholeFile) {
  const TemporaryFolder folder;
  std::vector<std::thread> writers;
  for (char c = 'a'; c < 'i'; ++c) {
    writers.emplace_back([&, c] { write_file(folder / "a", std::string(100000, c)); });
  }
  for (auto& writer : writers) writer.join();
  const auto text = text_of(folder / "a");
  EXPECT_EQ(text, std::string(100000, text.front()));
  EXPECT_THAT(names_in(folder.path()), ElementsAre("a"));
}

TEST(ReadFile, KeepsToTheLimit) {
  const TemporaryFolder folder;
  write_file(folder / "a", "12345678");
  EXPECT_EQ(read_file(folder / "a", 8), "12345678");
  EXPECT_THAT(error_of([&] { read_file(folder / "a", 7); }), HasSubstr("longer than the 7 bytes"));
  write_file(folder / "empty", "");
  EXPECT_EQ(read_file(folder / "empty", 0), "");
}

TEST(ReadFile, ReadsWhatHasNoSizeOfItsOwn) {
  EXPECT_GT(read_file("/proc/self/status", 1 << 20).size(), 100u);
  EXPECT_THAT(error_of([] { read_file("/dev/zero", 100000); }), HasSubstr("longer than"));
}

TEST(ReadFile, SaysWhatIsWrong) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of([&] { read_file(folder.path(), 10); }), HasSubstr("Is a directory"));
  EXPECT_THAT(error_of([&] { read_file(folder / "no", 10); }), HasSubstr("No such file"));
}

std::vector<std::string> relative(const std::vector<fs::path>& paths, const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& path : paths) names.push_back(path.lexically_relative(folder).string());
  return names;
}

TEST(ListFiles, SortsAcceptsAndDescends) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "sub/deeper");
  for (const auto* name : {"c.jpg", "a.jpg", "b.txt", "sub/d.jpg", "sub/deeper/e.jpg"}) write_file(folder / name, "x");
  fs::create_symlink(folder / "a.jpg", folder / "link.jpg");
  fs::create_symlink(folder / "nowhere", folder / "dangling.jpg");
  fs::create_directory_symlink(folder.path(), folder / "sub/loop");
  const auto jpeg = [](const fs::path& path) { return path.extension() == ".jpg"; };
  EXPECT_THAT(relative(list_files(folder.path(), {.accept = jpeg}), folder.path()),
              ElementsAre("a.jpg", "c.jpg", "link.jpg"));
  EXPECT_THAT(relative(list_files(folder.path(), {.accept = jpeg, .recursive = true}), folder.path()),
              ElementsAre("a.jpg", "c.jpg", "link.jpg", "sub/d.jpg", "sub/deeper/e.jpg"));
  EXPECT_EQ(list_files(folder.path()).size(), 4u);
}

// In a child as "nobody": 0 where the folder and the subfolder behave as promised.
int list_closed_folder(const fs::path& folder) {
  drop_root();
  const auto closed = error_of([&] { list_files(folder / "closed"); });
  const auto inside = error_of([&] { list_files(folder, {.recursive = true}); });
  std::vector<std::string> messages;
  const auto files = list_files(folder, {.recursive = true, .on_unreadable = [&](auto& m) { messages.push_back(m); }});
  const bool named = closed.find("closed: the folder cannot be read: Permission denied") != std::string::npos;
  return named && inside == closed && messages == std::vector{closed} && files.size() == 1 ? 0 : 1;
}

TEST(ListFiles, UnreadableFoldersAreErrorsOrReported) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "closed");
  write_file(folder / "a", "x");
  fs::permissions(folder.path(), fs::perms::all);
  fs::permissions(folder / "closed", fs::perms::none);
  EXPECT_EQ(in_child([&] { return list_closed_folder(folder.path()); }).exit_code, 0);
  EXPECT_THAT(error_of([&] { list_files(folder / "missing"); }), HasSubstr("No such file"));
}

TEST(Glob, ExpandsPatternsAndKeepsLiteralNames) {
  const TemporaryFolder folder;
  for (const auto* name : {"b.jpg", "a.jpg", "a.png", "photo[1].jpg"}) write_file(folder / name, "x");
  const auto found = [&](const std::string& pattern) { return relative(glob(folder / pattern), folder.path()); };
  EXPECT_THAT(found("*.jpg"), ElementsAre("a.jpg", "b.jpg", "photo[1].jpg"));
  EXPECT_THAT(found("a.{png,jpg}"), ElementsAre("a.jpg", "a.png"));
  EXPECT_THAT(found("photo[1].jpg"), ElementsAre("photo[1].jpg"));
  EXPECT_TRUE(found("*.gif").empty());
}

}  // namespace
}  // namespace nunchi
