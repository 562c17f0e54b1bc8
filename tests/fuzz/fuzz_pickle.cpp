#include <numeric>

#include "core/assert.h"
#include "core/error.h"
#include "formats/state_dict.h"
#include "formats/torch_file.h"
#include "fuzz/targets.h"

namespace nunchi::fuzz {
namespace {

void check_tensor(const formats::TensorView& tensor) {
  const auto bits = static_cast<std::size_t>(tensor.count()) * formats::element_bits(tensor.dtype);
  ASSERT(bits == tensor.bytes.size() * 8, "the size fits the shape");
  const volatile auto sum =
      std::accumulate(tensor.bytes.begin(), tensor.bytes.end(), 0u,
                      [](unsigned total, std::byte byte) { return total + std::to_integer<unsigned>(byte); });
  static_cast<void>(sum);
}

void read_file(std::span<const std::byte> bytes, bool as_they_are) {
  try {
    const auto weights = formats::read_torch_file(bytes, "fuzz", {.as_they_are = as_they_are});
    ASSERT(!weights.tensors.empty() || as_they_are, "a state dict has tensors");
    for (const auto& tensor : weights.tensors) check_tensor(tensor);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::model) throw;
  }
}

// What the containers' own checks would keep from the unpickler and the search.
void read_bare(std::span<const std::byte> bytes) {
  try {
    const auto tree = formats::unpickle(bytes, "fuzz");
    ASSERT(tree.size <= bytes.size(), "a pickle lies inside its file");
    static_cast<void>(formats::find_state_dict(tree, "fuzz"));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::model) throw;
  }
}

}  // namespace

void pickle(std::span<const std::byte> bytes) {
  static_cast<void>(formats::is_torch_file(bytes));
  read_file(bytes, false);
  read_file(bytes, true);
  read_bare(bytes);
}

}  // namespace nunchi::fuzz
