#include "formats/zip.h"

#include <fmt/format.h>
#ifndef NUNCHI_WITHOUT_ZLIB
#include <zlib.h>
#endif

#include <algorithm>
#include <array>
#include <numeric>

#include "core/assert.h"
#include "formats/little_endian.h"
#include "formats/quote_name.h"
#include "formats/zip_directory.h"

namespace nunchi::formats {
namespace {

constexpr std::uint16_t method_deflated = 8;
constexpr std::uint16_t flag_encrypted = 1;
constexpr std::uint64_t most_growth = 1032;  // of deflate: no content is longer than this many times its packed size

class EntryReader {
 public:
  EntryReader(const ZipEntry& entry, const std::string& file, ErrorKind kind)
      : entry_(entry), file_(file), kind_(kind) {}

  void check_readable(std::uint64_t most_bytes) const;
  void check_content(std::span<const std::byte> content) const;
  std::vector<std::byte> inflate(std::span<const std::byte> packed) const;

 private:
  [[noreturn]] void fail(const std::string& reason) const {
    throw Error(kind_, fmt::format("{}: {}: {}", file_, quote_name(entry_.name), reason));
  }

  const ZipEntry& entry_;
  const std::string& file_;
  ErrorKind kind_;
};

void EntryReader::check_readable(std::uint64_t most_bytes) const {
  if ((entry_.flags & flag_encrypted) != 0) fail("it is encrypted; pack the archive without a password");
  if (entry_.method != 0 && entry_.method != method_deflated) {
    fail(
        fmt::format("expected it stored or deflated, found compression method {}; pack the archive again with one of "
                    "those",
                    entry_.method));
  }
  if (entry_.size > most_bytes) fail(fmt::format("expected at most {} bytes, found {}", most_bytes, entry_.size));
  const bool fits =
      entry_.is_stored() ? entry_.size == entry_.packed_size : entry_.size / most_growth <= entry_.packed_size;
  if (!fits) fail(fmt::format("{} bytes cannot come from {}: the archive is damaged", entry_.size, entry_.packed_size));
}

#ifndef NUNCHI_WITHOUT_ZLIB
void EntryReader::check_content(std::span<const std::byte> content) const {
  const auto* data = reinterpret_cast<const Bytef*>(content.data());
  const auto found = content.empty() ? 0 : crc32_z(0, data, content.size());
  if (found == entry_.checksum) return;
  fail(fmt::format("expected the checksum {:08x}, found {:08x}: the archive is damaged; copy or download it again",
                   entry_.checksum, found));
}

// Calls zlib in pieces, since its counters have 32 bits.
std::vector<std::byte> EntryReader::inflate(std::span<const std::byte> packed) const {
  constexpr std::size_t piece = 1 << 30;
  std::vector<std::byte> content(entry_.size);
  std::span<std::byte> room(content);
  std::byte nothing{};  // zlib refuses a null address even where it may write nothing
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
  const auto end = [](z_stream* open) { inflateEnd(open); };
  const std::unique_ptr<z_stream, decltype(end)> closed_on_return(&stream, end);
  int state = Z_OK;
  while (state == Z_OK) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
    stream.avail_in = static_cast<uInt>(std::min(packed.size(), piece));
    stream.next_out = reinterpret_cast<Bytef*>(room.empty() ? &nothing : room.data());
    stream.avail_out = static_cast<uInt>(std::min(room.size(), piece));
    const auto offered_in = stream.avail_in, offered_out = stream.avail_out;
    state = ::inflate(&stream, Z_NO_FLUSH);
    packed = packed.subspan(offered_in - stream.avail_in);
    room = room.subspan(offered_out - stream.avail_out);
  }
  if (state != Z_STREAM_END || !packed.empty() || !room.empty()) {
    fail(fmt::format("expected {} bytes of content, found {}: the archive is damaged; copy or download it again",
                     entry_.size, content.size() - room.size()));
  }
  return content;
}
#else
void EntryReader::check_content(std::span<const std::byte>) const {}

std::vector<std::byte> EntryReader::inflate(std::span<const std::byte>) const {
  fail("it is compressed, and this build has no zlib; pack the archive without compression");
}
#endif

}  // namespace

ZipFile ZipFile::open(const std::filesystem::path& path, const ZipOptions& options) {
  ZipFile result;
  result.file_ = std::make_shared<const MappedFile>(MappedFile::open(path, {.error_kind = options.error_kind}));
  result.bytes_ = result.file_->bytes();
  result.name_ = path.string();
  result.options_ = options;
  result.index();
  result.check();
  return result;
}

ZipFile ZipFile::parse(std::span<const std::byte> bytes, const std::string& name, const ZipOptions& options) {
  ZipFile result;
  result.bytes_ = bytes;
  result.name_ = name;
  result.options_ = options;
  result.index();
  return result;
}

void ZipFile::index() {
  entries_ = read_zip_directory(bytes_, name_, options_.error_kind);
  by_name_.resize(entries_.size());
  std::iota(by_name_.begin(), by_name_.end(), std::size_t{0});
  std::sort(by_name_.begin(), by_name_.end(),
            [this](std::size_t left, std::size_t right) { return entries_[left].name < entries_[right].name; });
  const auto twice = std::adjacent_find(by_name_.begin(), by_name_.end(), [this](std::size_t left, std::size_t right) {
    return entries_[left].name == entries_[right].name;
  });
  if (twice == by_name_.end()) return;
  throw Error(options_.error_kind, fmt::format("{}: zip archive: expected each name once, found {} twice", name_,
                                               quote_name(entries_[*twice].name)));
}

const ZipEntry* ZipFile::find(std::string_view name) const {
  const auto at =
      std::lower_bound(by_name_.begin(), by_name_.end(), name,
                       [this](std::size_t left, std::string_view right) { return entries_[left].name < right; });
  return at == by_name_.end() || entries_[*at].name != name ? nullptr : &entries_[*at];
}

std::span<const std::byte> ZipFile::view(const ZipEntry& entry) const {
  ASSERT(entry.is_stored(), "only what is stored can be viewed");
  EntryReader(entry, name_, options_.error_kind).check_readable(entry.size);
  return packed_bytes(bytes_, entry, name_, options_.error_kind);
}

ZipContent ZipFile::read(const ZipEntry& entry, std::uint64_t most_bytes) const {
  const EntryReader reader(entry, name_, options_.error_kind);
  reader.check_readable(most_bytes);
  const auto packed = packed_bytes(bytes_, entry, name_, options_.error_kind);
  ZipContent content{.bytes = packed, .memory = file_};
  if (!entry.is_stored()) {
    const auto inflated = std::make_shared<const std::vector<std::byte>>(reader.inflate(packed));
    content = {.bytes = *inflated, .memory = inflated};
  }
  reader.check_content(content.bytes);
  return content;
}

void ZipFile::check() const {
  if (file_) file_->check();
}

bool is_zip(std::span<const std::byte> bytes) {
  if (bytes.size() < 4) return false;
  const auto signature = load<std::uint32_t>(bytes);
  return signature == 0x04034b50 || signature == 0x06054b50;  // an entry, or the end of an archive without any
}

}  // namespace nunchi::formats
