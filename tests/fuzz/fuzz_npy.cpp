#include "core/assert.h"
#include "core/error.h"
#include "formats/npy.h"
#include "fuzz/targets.h"

namespace nunchi::fuzz {

void npy(std::span<const std::byte> bytes) {
  try {
    const formats::NpyArray array = formats::parse_npy(bytes, "fuzz");
    ASSERT(array.bytes.size() <= bytes.size(), "an array is no larger than its file");
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
  }
}

}  // namespace nunchi::fuzz
