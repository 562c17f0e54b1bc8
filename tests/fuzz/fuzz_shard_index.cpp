#include "core/assert.h"
#include "core/error.h"
#include "formats/safetensors.h"
#include "fuzz/targets.h"

namespace nunchi::fuzz {

void shard_index(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  try {
    for (const auto& [tensor, shard] : formats::parse_shard_index(text, "fuzz")) {
      ASSERT(shard.find('/') == std::string::npos && shard != "..", "a shard lies beside its index");
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::model) throw;
  }
}

}  // namespace nunchi::fuzz
