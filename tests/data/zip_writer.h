// data/zip_writer.h: small archives of stored files for tests.
#pragma once

#include <zlib.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/file.h"

namespace nunchi::data {

namespace detail {

inline void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 255);
}

// The fields that the local header and the central directory share.
inline void put_common(std::string& out, const std::string& name, const std::string& content) {
  put(out, 0, 2), put(out, 0, 2), put(out, 0, 4);  // flags, stored, date
  put(out, crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size())), 4);
  put(out, content.size(), 4), put(out, content.size(), 4), put(out, name.size(), 2), put(out, 0, 2);
}

}  // namespace detail

inline void write_zip(const std::filesystem::path& path,
                      const std::vector<std::pair<std::string, std::string>>& files) {
  std::string out, directory;
  for (const auto& [name, content] : files) {
    const auto offset = out.size();
    out += "PK\x03\x04", detail::put(out, 20, 2), detail::put_common(out, name, content), out += name + content;
    directory += "PK\x01\x02", detail::put(directory, 20, 2), detail::put(directory, 20, 2);
    detail::put_common(directory, name, content);
    detail::put(directory, 0, 10), detail::put(directory, offset, 4), directory += name;
  }
  const auto begin = out.size();
  out += directory + "PK\x05\x06", detail::put(out, 0, 4);
  detail::put(out, files.size(), 2), detail::put(out, files.size(), 2);
  detail::put(out, directory.size(), 4), detail::put(out, begin, 4), detail::put(out, 0, 2);
  write_file(path, out);
}

}  // namespace nunchi::data
