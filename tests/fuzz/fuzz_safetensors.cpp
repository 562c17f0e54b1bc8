#include <numeric>

#include "core/assert.h"
#include "core/error.h"
#include "formats/safetensors.h"
#include "fuzz/targets.h"

namespace nunchi::fuzz {
namespace {

void check_tensor(const formats::TensorView& tensor, std::span<const std::byte> file) {
  const bool inside =
      tensor.bytes.data() >= file.data() && tensor.bytes.data() + tensor.bytes.size() <= file.data() + file.size();
  ASSERT(inside, "the data lies in the file");
  const auto bits = static_cast<std::size_t>(tensor.count()) * formats::element_bits(tensor.dtype);
  ASSERT(bits == tensor.bytes.size() * 8, "the size fits the shape");
  static_cast<void>(tensor.aligned());
  const volatile auto sum =
      std::accumulate(tensor.bytes.begin(), tensor.bytes.end(), 0u,
                      [](unsigned total, std::byte byte) { return total + std::to_integer<unsigned>(byte); });
  static_cast<void>(sum);
}

}  // namespace

void safetensors(std::span<const std::byte> bytes) {
  formats::SafetensorsContents contents;
  try {
    contents = formats::parse_safetensors(bytes, "fuzz");
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::model) throw;
    return;
  }
  for (const auto& tensor : contents.tensors) check_tensor(tensor, bytes);
}

}  // namespace nunchi::fuzz
