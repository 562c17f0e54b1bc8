// formats/zip_directory.h: the central directory at the end of a zip archive.
//
//   std::vector<ZipEntry> entries = read_zip_directory(bytes, "photos.zip", ErrorKind::input);
#pragma once

#include "formats/zip.h"

namespace nunchi::formats {

// Every entry with its limit. Throws Error (`kind`) where the directory is damaged, an entry lies outside of the file
// or two overlap, or a name is unsafe.
std::vector<ZipEntry> read_zip_directory(std::span<const std::byte> bytes, const std::string& file, ErrorKind kind);

// Where the content of an entry lies, behind its local header.
std::span<const std::byte> packed_bytes(std::span<const std::byte> bytes, const ZipEntry& entry,
                                        const std::string& file, ErrorKind kind);

}  // namespace nunchi::formats
