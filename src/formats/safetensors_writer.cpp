#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "core/assert.h"
#include "core/json.h"
#include "formats/safetensors.h"

namespace nunchi::formats {
namespace {

constexpr std::size_t header_alignment = 8;

void check_caller(const std::vector<TensorView>& tensors) {
  std::unordered_set<std::string_view> names;
  for (const TensorView& tensor : tensors) {
    const auto bits = static_cast<std::uint64_t>(tensor.count()) * element_bits(tensor.dtype);
    ASSERT(bits == tensor.bytes.size() * 8, "the bytes of a tensor match its shape and dtype");
    ASSERT(names.insert(tensor.name).second, "names are unique");
  }
}

// The reference library's order: the widest dtypes first, so that no tensor needs padding to be aligned.
bool written_before(const TensorView& left, const TensorView& right) {
  return left.dtype != right.dtype ? left.dtype > right.dtype : left.name < right.name;
}

Json header_of(const std::vector<TensorView>& tensors, const Metadata& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  header.get_ref<Json::object_t&>().reserve(tensors.size() + 1);
  std::uint64_t offset = 0;
  for (const TensorView& tensor : tensors) {
    const std::uint64_t end = offset + tensor.bytes.size();
    // push_back, not operator[]: an ordered object looks through all its keys for each new one
    header.get_ref<Json::object_t&>().push_back(
        {tensor.name,
         Json{{"dtype", dtype_name(tensor.dtype)}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}}});
    offset = end;
  }
  return header;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, std::vector<TensorView> tensors, const Metadata& metadata) {
  std::sort(tensors.begin(), tensors.end(), written_before);
  check_caller(tensors);
  std::string header = header_of(tensors, metadata).dump();
  header.resize((header.size() + header_alignment - 1) / header_alignment * header_alignment, ' ');
  std::uint64_t size = header_alignment + header.size();
  for (const TensorView& tensor : tensors) size += tensor.bytes.size();
  write_atomically(path, [&](Writer& writer) {
    writer.reserve(size);
    const std::uint64_t length = header.size();
    writer.write(std::as_bytes(std::span(&length, 1)));
    writer.write(header);
    for (const TensorView& tensor : tensors) writer.write(tensor.bytes);
  });
}

}  // namespace nunchi::formats
