#include "formats/zip_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "formats/little_endian.h"
#include "formats/quote_name.h"

namespace nunchi::formats {
namespace {

constexpr std::uint32_t local_signature = 0x04034b50;
constexpr std::uint32_t entry_signature = 0x02014b50;
constexpr std::uint32_t end_signature = 0x06054b50;
constexpr std::uint32_t end64_signature = 0x06064b50;
constexpr std::uint32_t locator64_signature = 0x07064b50;

constexpr std::size_t local_size = 30;
constexpr std::size_t entry_size = 46;
constexpr std::size_t end_size = 22;
constexpr std::size_t end64_size = 56;
constexpr std::size_t locator64_size = 20;
constexpr std::size_t most_comment_bytes = 65535;
constexpr std::uint16_t extra_zip64 = 1;
constexpr std::uint16_t flag_encrypted_directory = 1 << 13;

// Values of these kinds mean: the real one stands in the zip64 record.
constexpr std::uint16_t elsewhere16 = 0xffff;
constexpr std::uint32_t elsewhere32 = 0xffffffff;

struct Directory {
  std::uint64_t offset = 0, size = 0, count = 0;
};

class DirectoryReader {
 public:
  DirectoryReader(std::span<const std::byte> bytes, const std::string& file, ErrorKind kind)
      : bytes_(bytes), file_(file), kind_(kind) {}
  std::vector<ZipEntry> read() const;

 private:
  [[noreturn]] void fail(const std::string& reason) const {
    throw Error(kind_, fmt::format("{}: zip archive: {}", file_, reason));
  }
  [[noreturn]] void fail_cut_off(std::string_view what) const {
    fail(
        fmt::format("expected {}, found none: the file is cut off or no zip archive; copy or download it again", what));
  }
  std::size_t find_end() const;
  std::optional<Directory> find_zip64(std::size_t end) const;
  Directory find_directory() const;
  ZipEntry entry_at(std::span<const std::byte>& rest) const;
  void apply_zip64(ZipEntry& entry, std::span<const std::byte> extra) const;
  void check_name(const std::string& name) const;
  void set_limits(std::vector<ZipEntry>& entries, std::uint64_t directory_offset) const;

  std::span<const std::byte> bytes_;
  const std::string& file_;
  ErrorKind kind_;
};

// The end record is the last thing in the file but for a comment.
std::size_t DirectoryReader::find_end() const {
  if (bytes_.size() < end_size) fail_cut_off("a directory at the end");
  const std::size_t last = bytes_.size() - end_size;
  const std::size_t first = last > most_comment_bytes ? last - most_comment_bytes : 0;
  for (std::size_t at = last + 1; at-- > first;) {
    if (load<std::uint32_t>(bytes_, at) != end_signature) continue;
    if (load<std::uint16_t>(bytes_, at + 20) == bytes_.size() - at - end_size) return at;
  }
  fail_cut_off("a directory at the end");
}

std::optional<Directory> DirectoryReader::find_zip64(std::size_t end) const {
  if (end < locator64_size) return std::nullopt;
  const std::size_t locator = end - locator64_size;
  if (load<std::uint32_t>(bytes_, locator) != locator64_signature) return std::nullopt;
  const auto at = load<std::uint64_t>(bytes_, locator + 8);
  if (locator < end64_size || at > locator - end64_size || load<std::uint32_t>(bytes_, at) != end64_signature) {
    fail(fmt::format("expected the zip64 record at byte {}, found none", at));
  }
  if (load<std::uint32_t>(bytes_, at + 16) != 0 || load<std::uint32_t>(bytes_, locator + 16) > 1) {
    fail("expected one file, found one part of several");
  }
  return Directory{.offset = load<std::uint64_t>(bytes_, at + 48),
                   .size = load<std::uint64_t>(bytes_, at + 40),
                   .count = load<std::uint64_t>(bytes_, at + 32)};
}

Directory DirectoryReader::find_directory() const {
  const std::size_t end = find_end();
  auto directory = find_zip64(end);
  if (!directory) {
    const auto part = load<std::uint16_t>(bytes_, end + 4);
    if (part != 0 && part != elsewhere16) fail("expected one file, found one part of several");
    directory = Directory{.offset = load<std::uint32_t>(bytes_, end + 16),
                          .size = load<std::uint32_t>(bytes_, end + 12),
                          .count = load<std::uint16_t>(bytes_, end + 10)};
  }
  if (directory->offset > end || directory->size > end - directory->offset) {
    fail(fmt::format("its directory lies at byte {} and has {} bytes, behind the end record at {}: the file is damaged",
                     directory->offset, directory->size, end));
  }
  if (directory->count > directory->size / entry_size) {
    fail(fmt::format("expected {} entries, found a directory of {} bytes", directory->count, directory->size));
  }
  return *directory;
}

// The record holds only those values that the entry itself has no room for, in this order.
void DirectoryReader::apply_zip64(ZipEntry& entry, std::span<const std::byte> extra) const {
  while (extra.size() >= 4) {
    const auto kind = load<std::uint16_t>(extra);
    const std::size_t size = load<std::uint16_t>(extra, 2);
    if (size > extra.size() - 4) return;  // old tools leave half a field: it concerns nobody but them
    auto values = extra.subspan(4, size);
    extra = extra.subspan(4 + size);
    if (kind != extra_zip64) continue;
    for (std::uint64_t* value : {&entry.size, &entry.packed_size, &entry.offset}) {
      if (*value != elsewhere32 || values.size() < 8) continue;
      *value = load<std::uint64_t>(values);
      values = values.subspan(8);
    }
    return;
  }
}

// Names may become paths or labels: none may lead out of the archive.
void DirectoryReader::check_name(const std::string& name) const {
  const auto refuse = [&](std::string_view why) {
    fail(fmt::format("expected relative names, found {}: {}", quote_name(name), why));
  };
  if (name.empty()) refuse("it is empty");
  if (name.front() == '/') refuse("it begins at the root");
  if (name.find('\0') != std::string::npos) refuse("it holds a zero byte");
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    if (std::string_view(name).substr(begin, end - begin) == "..") refuse("it leads out of the archive");
    begin = end + 1;
  }
}

ZipEntry DirectoryReader::entry_at(std::span<const std::byte>& rest) const {
  if (rest.size() < entry_size || load<std::uint32_t>(rest) != entry_signature) {
    fail(fmt::format("expected an entry of the directory at byte {}, found none", rest.data() - bytes_.data()));
  }
  const std::size_t name_size = load<std::uint16_t>(rest, 28);
  const std::size_t extra_size = load<std::uint16_t>(rest, 30);
  const std::size_t size = entry_size + name_size + extra_size + load<std::uint16_t>(rest, 32);
  if (size > rest.size()) fail("expected a whole entry, found the end of the directory");
  ZipEntry entry{.name = std::string(reinterpret_cast<const char*>(rest.data()) + entry_size, name_size),
                 .size = load<std::uint32_t>(rest, 24),
                 .packed_size = load<std::uint32_t>(rest, 20),
                 .offset = load<std::uint32_t>(rest, 42),
                 .limit = 0,
                 .checksum = load<std::uint32_t>(rest, 16),
                 .method = load<std::uint16_t>(rest, 10),
                 .flags = load<std::uint16_t>(rest, 8)};
  check_name(entry.name);
  if ((entry.flags & flag_encrypted_directory) != 0) fail("its directory is encrypted; pack it without a password");
  apply_zip64(entry, rest.subspan(entry_size + name_size, extra_size));
  rest = rest.subspan(size);
  return entry;
}

// In the order of the file each entry has the room up to the next one. What shares it would be read twice: archives
// built so grow to any size when they are unpacked.
void DirectoryReader::set_limits(std::vector<ZipEntry>& entries, std::uint64_t directory_offset) const {
  std::vector<ZipEntry*> in_file;
  for (ZipEntry& entry : entries) in_file.push_back(&entry);
  std::sort(in_file.begin(), in_file.end(),
            [](const ZipEntry* left, const ZipEntry* right) { return left->offset > right->offset; });
  std::uint64_t limit = directory_offset;
  for (ZipEntry* entry : in_file) {
    const std::uint64_t header = local_size + entry->name.size();
    if (entry->offset > limit || limit - entry->offset < header ||
        limit - entry->offset - header < entry->packed_size) {
      fail(
          fmt::format("{}: expected {} bytes at byte {}, found room up to byte {}: the file is damaged, or two of its "
                      "entries overlap",
                      quote_name(entry->name), entry->packed_size, entry->offset, limit));
    }
    entry->limit = limit;
    limit = entry->offset;
  }
}

std::vector<ZipEntry> DirectoryReader::read() const {
  const Directory directory = find_directory();
  auto rest = bytes_.subspan(directory.offset, directory.size);
  std::vector<ZipEntry> entries;
  entries.reserve(directory.count);
  for (std::uint64_t i = 0; i < directory.count; ++i) entries.push_back(entry_at(rest));
  set_limits(entries, directory.offset);
  return entries;
}

}  // namespace

std::vector<ZipEntry> read_zip_directory(std::span<const std::byte> bytes, const std::string& file, ErrorKind kind) {
  return DirectoryReader(bytes, file, kind).read();
}

std::span<const std::byte> packed_bytes(std::span<const std::byte> bytes, const ZipEntry& entry,
                                        const std::string& file, ErrorKind kind) {
  const auto fail = [&](const std::string& reason) {
    throw Error(kind, fmt::format("{}: {}: {}: the archive is damaged", file, quote_name(entry.name), reason));
  };
  const auto room = bytes.subspan(entry.offset, entry.limit - entry.offset);
  if (load<std::uint32_t>(room) != local_signature) {
    fail(fmt::format("expected its header at byte {}, found none", entry.offset));
  }
  const std::size_t name_size = load<std::uint16_t>(room, 26);
  const std::size_t header = local_size + name_size + load<std::uint16_t>(room, 28);
  if (header > room.size() || room.size() - header < entry.packed_size) {
    fail(fmt::format("expected {} bytes behind its header, found the next entry", entry.packed_size));
  }
  const std::string_view name(reinterpret_cast<const char*>(room.data()) + local_size, name_size);
  if (name != entry.name) fail(fmt::format("expected the same name in its header, found {}", quote_name(name)));
  return room.subspan(header, entry.packed_size);
}

}  // namespace nunchi::formats
