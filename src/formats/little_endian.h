// formats/little_endian.h: numbers inside the bytes of a file, wherever they lie.
//
//   if (bytes.size() >= 4) length = load<std::uint32_t>(bytes);
#pragma once

#include <bit>
#include <cstddef>
#include <cstring>
#include <span>

#include "core/assert.h"

namespace nunchi::formats {

static_assert(std::endian::native == std::endian::little, "numbers are used as they lie in the file");

// The caller has checked that the number lies inside.
template <class T>
T load(std::span<const std::byte> bytes, std::size_t offset = 0) {
  ASSERT(offset <= bytes.size() && bytes.size() - offset >= sizeof(T), "a number lies inside its bytes");
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

}  // namespace nunchi::formats
