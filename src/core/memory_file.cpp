#include "core/memory_file.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace nunchi {
namespace {

[[noreturn]] void fail(const std::string& name) {
  throw Error(ErrorKind::input, fmt::format("{}: no memory for it: {}", name, std::strerror(errno)));
}

}  // namespace

MemoryFile::MemoryFile(std::string_view bytes, const std::string& name)
    : descriptor_(memfd_create(name.c_str(), MFD_CLOEXEC)) {
  if (descriptor_ < 0) fail(name);
  while (!bytes.empty()) {
    const auto written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const int error = errno;
      ::close(descriptor_);
      errno = error;
      fail(name);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

MemoryFile::~MemoryFile() { ::close(descriptor_); }

std::filesystem::path MemoryFile::path() const { return fmt::format("/proc/self/fd/{}", descriptor_); }

}  // namespace nunchi
