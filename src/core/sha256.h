// core/sha256.h: the hash of FIPS 180-4 for short texts, such as a script that a page allows by name. Large files go
// through remote/hash.h, which takes OpenSSL's.
//
//   const std::array<std::uint8_t, 32> digest = sha256("abc");
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace nunchi {

std::array<std::uint8_t, 32> sha256(std::string_view text);

}  // namespace nunchi
