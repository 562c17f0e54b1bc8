#include "core/new_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

#include "core/error.h"

namespace nunchi {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& folder, const std::string& reason) {
  throw Error(ErrorKind::input, fmt::format("{}: cannot be made: {}", folder.string(), reason));
}

// "out/" is "out".
fs::path without_slash(const fs::path& path) { return path.has_filename() ? path : path.parent_path(); }

// One step where the file system can exchange two names, two where it cannot.
void exchange(const fs::path& made, const fs::path& target) {
  if (::renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) == 0) return;
  const fs::path aside = target.string() + ".old";
  fs::remove_all(aside);
  fs::rename(target, aside);
  fs::rename(made, target);
  fs::rename(aside, made);
}

}  // namespace

NewFolder::NewFolder(const fs::path& target, Existing existing)
    : target_(without_slash(target)), path_(target_.string() + ".tmp"), existing_(existing) {
  std::error_code error;
  if (existing_ == Existing::refused && fs::exists(target_, error) &&
      !(fs::is_directory(target_, error) && fs::is_empty(target_, error))) {
    throw Error(ErrorKind::input, fmt::format("{}: expected a new or an empty folder, found one with files in it; "
                                              "name another",
                                              target_.string()));
  }
  fs::create_directories(path_, error);
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor_ < 0) fail(path_, error ? error.message() : std::strerror(errno));
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(descriptor_);
    fail(target_, fmt::format("another process is writing it, in {}; wait for it, or name another", path_.string()));
  }
  for (const auto& left : fs::directory_iterator(path_, error)) fs::remove_all(left.path(), error);
}

NewFolder::~NewFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
  ::close(descriptor_);
}

void NewFolder::put_in_place() {
  const bool renamed = ::rename(path_.c_str(), target_.c_str()) == 0;  // nothing, or an empty folder, was there
  if (!renamed) {
    const int reason = errno;
    if (existing_ == Existing::refused || (reason != ENOTEMPTY && reason != EEXIST))
      fail(target_, std::strerror(reason));
    try {
      exchange(path_, target_);
    } catch (const fs::filesystem_error& error) {
      fail(target_, error.code().message());
    }
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  path_.clear();
}

}  // namespace nunchi
