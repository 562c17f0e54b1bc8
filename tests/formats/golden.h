// formats/golden.h: the files that tools/make_formats_golden.py made with the real libraries.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "core/file.h"

namespace nunchi::formats {

inline std::filesystem::path golden(const std::string& name) {
  return std::filesystem::path(NUNCHI_SOURCE_DIR) / "tests/golden/formats" / name;
}

inline std::string read_golden(const std::string& name) { return read_file(golden(name), 1 << 20); }

inline std::string to_hex(std::span<const std::byte> bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text += digits[std::to_integer<int>(byte >> 4)];
    text += digits[std::to_integer<int>(byte & std::byte{15})];
  }
  return text;
}

}  // namespace nunchi::formats
