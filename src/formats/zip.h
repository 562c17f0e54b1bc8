// formats/zip.h: the files inside a zip archive, zip64 included (specification: PKWARE's APPNOTE.TXT 6.3.10).
//
//   const ZipFile archive = ZipFile::open("photos.zip", {.error_kind = ErrorKind::input});
//   for (const ZipEntry& entry : archive.entries()) {
//     if (!entry.is_folder()) decode(archive.read(entry, most_bytes).bytes);
//   }
//   archive.check();                                  // throws if the file shrank meanwhile
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.h"

namespace nunchi::formats {

// One line of the central directory. Names use '/', are relative and hold no "..": "train/cat/1.jpg".
struct ZipEntry {
  std::string name;
  std::uint64_t size = 0;         // of the content
  std::uint64_t packed_size = 0;  // in the archive
  std::uint64_t offset = 0;       // of its local header
  std::uint64_t limit = 0;        // where the next entry, or the central directory, begins
  std::uint32_t checksum = 0;
  std::uint16_t method = 0;  // 0 stored, 8 deflated; others are listed and cannot be read
  std::uint16_t flags = 0;

  bool is_folder() const { return name.ends_with('/'); }
  bool is_stored() const { return method == 0; }
};

// The content of an entry, and what keeps it alive: copies stay valid when the archive is gone.
struct ZipContent {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> memory;  // null for a stored entry of parse(): the caller's own bytes
};

struct ZipOptions {
  ErrorKind error_kind = ErrorKind::model;
};

// Opening reads the central directory alone, so that an archive of any size opens at once. Every function is safe to
// call from several threads. Throws Error (options.error_kind) that names the file, the entry, and what is wrong.
class ZipFile {
 public:
  // Refuses archives in several parts, with an encrypted directory, with equal or unsafe names, and with entries that
  // overlap each other or lie outside of the file.
  static ZipFile open(const std::filesystem::path& path, const ZipOptions& options = {});
  static ZipFile parse(std::span<const std::byte> bytes, const std::string& name, const ZipOptions& options = {});

  const std::vector<ZipEntry>& entries() const { return entries_; }  // in the order of the central directory
  const ZipEntry* find(std::string_view name) const;                 // null where there is none

  // A stored entry as it lies in the archive; its checksum is not compared, so that nothing is read. An entry of
  // another method is a bug of the caller.
  std::span<const std::byte> view(const ZipEntry& entry) const;

  // The content with its checksum compared: stored entries as views, deflated ones inflated. Refuses encrypted entries,
  // other methods, and contents over `most_bytes` before memory is taken for them.
  ZipContent read(const ZipEntry& entry, std::uint64_t most_bytes) const;

  // Throws Error (model) if the file shrank while it was read. Nothing to do after parse().
  void check() const;

 private:
  ZipFile() = default;
  void index();

  std::shared_ptr<const MappedFile> file_;
  std::span<const std::byte> bytes_;
  std::string name_;
  ZipOptions options_;
  std::vector<ZipEntry> entries_;
  std::vector<std::size_t> by_name_;  // positions in entries_, sorted by name
};

// Whether a file begins as a zip archive does.
bool is_zip(std::span<const std::byte> bytes);

}  // namespace nunchi::formats
