// core/file.h: reading and writing files so that nothing crashes, nothing is written half, and every error names the
// file.
//
//   const auto file = MappedFile::open("model.safetensors", {.access = Access::sequential});
//   use(file.bytes());
//   file.check();                                    // throws if the file shrank meanwhile
//   write_atomically("out.npy", [&](Writer& out) { out.write(header); out.write(data); });
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace nunchi {

// What the kernel is told about the coming reads: `normal` nothing, `sequential` read far ahead, `will_need` start
// reading all of it now, `huge_pages` as will_need, in large pages where the file system can.
enum class Access { normal, sequential, will_need, huge_pages };

struct MapOptions {
  Access access = Access::normal;
  ErrorKind error_kind = ErrorKind::model;  // what a failure to open counts as
};

// A whole file, mapped read-only. Where the file shrinks (or its disk fails) while it is read, the lost bytes read as
// zero instead of killing the process, and check() throws.
class MappedFile {
 public:
  // Throws Error where the path is missing, a directory, unreadable or empty.
  static MappedFile open(const std::filesystem::path& path, const MapOptions& options = {});

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }

  // Throws Error (model) if the file is shorter than it was when it was opened, or if reading it failed.
  void check() const;

  // Gives the memory of the whole pages inside `part` back to the system; reading them again reads the file again.
  void release(std::span<const std::byte> part) const noexcept;

 private:
  MappedFile() = default;

  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  int descriptor_ = -1;
  struct MappingSlot* slot_ = nullptr;
};

// The sink given to the callback of write_atomically().
class Writer {
 public:
  // Throw Error (input) that names the file and the size where the disk is full or the write fails.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }

  // Claims disk space for `size` bytes in all, so that a full disk is found before the work and not after it.
  void reserve(std::uint64_t size);

  std::uint64_t written() const { return written_; }

 private:
  friend void write_atomically(const std::filesystem::path&, const std::function<void(Writer&)>&);
  Writer(int descriptor, const std::filesystem::path& target) : descriptor_(descriptor), target_(target) {}
  [[noreturn]] void fail(int error, std::uint64_t wanted) const;

  int descriptor_;
  const std::filesystem::path& target_;
  std::uint64_t written_ = 0;
};

// Writes to a temporary name in the same folder, flushes it to the disk and renames it, so that other readers see the
// old file or the whole new one. Where `fill` throws, the old file stays and the temporary one is removed. A link is
// followed; a pipe or device is written directly. Throws Error (input) where that fails.
void write_atomically(const std::filesystem::path& path, const std::function<void(Writer&)>& fill);

void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_file(const std::filesystem::path& path, std::string_view text);

// The whole file, or all that a pipe gives. Throws Error (`kind`) where it cannot be read or is longer than
// `max_bytes`.
std::string read_file(const std::filesystem::path& path, std::uint64_t max_bytes, ErrorKind kind = ErrorKind::input);

struct ListOptions {
  std::function<bool(const std::filesystem::path&)> accept;       // empty: every file
  bool recursive = false;                                         // links to folders are not followed
  std::function<void(const std::string& message)> on_unreadable;  // a subfolder; empty: throw
};

// The regular files (and links to them) in `folder`, sorted by path. Throws Error (input) where it cannot be read.
std::vector<std::filesystem::path> list_files(const std::filesystem::path& folder, const ListOptions& options = {});

// The paths that match a shell pattern (*, ?, [a-z], {a,b}, ~), sorted; a pattern that is itself the name of a file
// stands for that file. Empty where nothing matches.
std::vector<std::filesystem::path> glob(const std::string& pattern);

}  // namespace nunchi
