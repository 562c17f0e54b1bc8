// The entry point that libFuzzer calls; compiled once per target, with its name in NUNCHI_FUZZ_TARGET.
#include <cstddef>
#include <cstdint>

#include "fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  nunchi::fuzz::NUNCHI_FUZZ_TARGET({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}
