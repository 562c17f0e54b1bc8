// data/gzip.h: gzip files (RFC 1952) in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace nunchi::data {

bool is_gzip(std::span<const std::byte> bytes);

// Throws Error (input) that begins with `name` where the file is damaged, cut, or holds more than `most_bytes`.
std::string gunzip(std::span<const std::byte> bytes, std::uint64_t most_bytes, const std::string& name);

}  // namespace nunchi::data
