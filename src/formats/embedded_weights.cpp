#include "formats/embedded_weights.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "formats/safetensors.h"

namespace nunchi::formats {
namespace {

[[noreturn]] void fail(const std::string& name) {
  throw Error(ErrorKind::model, fmt::format("{}: no memory for its weights: {}", name, std::strerror(errno)));
}

// A file without a place in any folder.
class MemoryFile {
 public:
  MemoryFile(std::string_view bytes, const std::string& name) : descriptor_(memfd_create(name.c_str(), MFD_CLOEXEC)) {
    if (descriptor_ < 0) fail(name);
    while (!bytes.empty()) {
      const auto written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) {
        close(descriptor_);
        fail(name);
      }
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  ~MemoryFile() { close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::string path() const { return fmt::format("/proc/self/fd/{}", descriptor_); }

 private:
  int descriptor_;
};

}  // namespace

// Everything that reads weights maps a file and gives its pages back, so the bytes become one: a copy of a few
// megabytes, which the system drops with the mapping.
WeightFiles embedded_weights(std::string_view bytes, const std::string& name) {
  parse_safetensors(std::as_bytes(std::span(bytes)), name);
  const MemoryFile file(bytes, name);
  const auto mapped = std::make_shared<const MappedFile>(MappedFile::open(file.path()));
  std::vector<WeightFile> files;
  files.push_back(SafetensorsFile::read(mapped));
  return WeightFiles(std::move(files));
}

}  // namespace nunchi::formats
