#include "core/assert.h"
#include "core/error.h"
#include "formats/zip.h"
#include "fuzz/targets.h"

namespace nunchi::fuzz {
namespace {

constexpr std::uint64_t most_bytes = 1 << 20;

void read_entry(const formats::ZipFile& archive, const formats::ZipEntry& entry) {
  ASSERT(archive.find(entry.name) == &entry, "every entry is found by its name");
  try {
    const auto content = archive.read(entry, most_bytes);
    ASSERT(content.bytes.size() == entry.size, "the content has the size that the directory says");
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
  }
}

}  // namespace

void zip(std::span<const std::byte> bytes) {
  static_cast<void>(formats::is_zip(bytes));
  try {
    const auto archive = formats::ZipFile::parse(bytes, "fuzz", {.error_kind = ErrorKind::input});
    for (const auto& entry : archive.entries()) read_entry(archive, entry);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
  }
}

}  // namespace nunchi::fuzz
