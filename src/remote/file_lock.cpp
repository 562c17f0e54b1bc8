#include "remote/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "core/error.h"
#include "core/interrupt.h"
#include "core/log.h"

namespace nunchi::remote {

bool FileLock::acquire(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  constexpr mode_t for_the_group = 0664;  // users who share a cache wait for each other
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, for_the_group);
  if (descriptor_ < 0) {
    throw Error(ErrorKind::input, fmt::format("{}: the lock file of the model cache cannot be opened: {}",
                                              path.string(), std::strerror(errno)));
  }
  struct stat status {};
  const bool locked = ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0 || errno == ENOSYS || errno == ENOLCK;
  if (locked && fstat(descriptor_, &status) == 0 && status.st_nlink > 0) return true;
  ::close(std::exchange(descriptor_, -1));  // held by another process, or removed just now
  return false;
}

FileLock::FileLock(const std::filesystem::path& path) {
  using namespace std::chrono_literals;
  const auto begin = std::chrono::steady_clock::now();
  bool told = false;
  while (!acquire(path)) {
    throw_if_stopped();
    std::this_thread::sleep_for(50ms);
    if (told || std::chrono::steady_clock::now() - begin < 3s) continue;
    log(LogLevel::warning, fmt::format("waiting for another process that pulls the same file ({})", path.string()));
    told = true;
  }
}

std::optional<FileLock> FileLock::try_lock(const std::filesystem::path& path) {
  FileLock lock;
  if (!lock.acquire(path)) return std::nullopt;
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace nunchi::remote
