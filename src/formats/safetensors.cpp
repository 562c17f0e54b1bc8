#include "formats/safetensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "formats/quote_name.h"
#include "formats/safetensors_header.h"

namespace nunchi::formats {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are used as they lie in the file");

constexpr std::uint64_t prefix_size = 8;                // the length of the header, little-endian
constexpr std::uint64_t most_header_bytes = 100000000;  // the limit of the reference library

[[noreturn]] void fail(const std::string& file, const std::string& tensor, const std::string& reason) {
  throw Error(ErrorKind::model, fmt::format("{}: tensor {}: {}", file, quote_name(tensor), reason));
}

std::string_view header_of(std::span<const std::byte> file, const std::string& name) {
  if (file.size() < prefix_size) {
    throw Error(ErrorKind::model,
                fmt::format("{}: expected a safetensors file, found only {} bytes", name, file.size()));
  }
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), prefix_size);
  if (length > most_header_bytes) {
    throw Error(ErrorKind::model,
                fmt::format("{}: expected a safetensors header of at most {} bytes, found a length of "
                            "{}; is it a safetensors file?",
                            name, most_header_bytes, length));
  }
  if (length > file.size() - prefix_size) {
    throw Error(ErrorKind::model,
                fmt::format("{}: expected a header of {} bytes, found {}: the file is cut off; copy or "
                            "download it again",
                            name, length, file.size() - prefix_size));
  }
  return {reinterpret_cast<const char*>(file.data()) + prefix_size, length};
}

struct Sized {
  std::vector<std::int64_t> shape;
  std::uint64_t bytes = 0;
};

// Zero sizes count as one in the overflow check: strides are products of the other sizes.
Sized size_of(const HeaderEntry& entry, Dtype dtype, const std::string& file) {
  Sized result;
  std::uint64_t bits = element_bits(dtype);
  bool empty = false;
  for (const std::uint64_t size : *entry.shape) {
    empty = empty || size == 0;
    if (__builtin_mul_overflow(bits, std::max<std::uint64_t>(size, 1), &bits) ||
        bits > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      fail(file, entry.name, fmt::format("the shape [{}] is larger than any memory", fmt::join(*entry.shape, ", ")));
    }
    result.shape.push_back(static_cast<std::int64_t>(size));
  }
  if (empty) return result;
  if (bits % 8 != 0) fail(file, entry.name, fmt::format("expected whole bytes, found {} bits", bits));
  result.bytes = bits / 8;
  return result;
}

TensorView view_of(HeaderEntry& entry, std::span<const std::byte> data, const std::string& file) {
  if (!entry.dtype) fail(file, entry.name, "expected a dtype, found none");
  if (!entry.shape) fail(file, entry.name, "expected a shape, found none");
  if (!entry.data_offsets || entry.data_offsets->size() != 2) {
    fail(file, entry.name,
         fmt::format("expected two data_offsets, found {}", entry.data_offsets ? entry.data_offsets->size() : 0));
  }
  const auto dtype = dtype_from_name(*entry.dtype);
  if (!dtype)
    fail(file, entry.name, fmt::format("expected a dtype such as F32 or BF16, found {}", quote_name(*entry.dtype)));
  const std::uint64_t begin = entry.data_offsets->front();
  const std::uint64_t end = entry.data_offsets->back();
  if (begin > end) fail(file, entry.name, fmt::format("expected data_offsets in order, found [{}, {}]", begin, end));
  if (end > data.size()) {
    fail(file, entry.name,
         fmt::format("its data ends at byte {} of {}: the file is cut off; copy or download it again", end,
                     data.size()));
  }
  Sized sized = size_of(entry, *dtype, file);
  if (sized.bytes != end - begin) {
    fail(file, entry.name,
         fmt::format("expected {} bytes for {} [{}], found {}", sized.bytes, *entry.dtype,
                     fmt::join(*entry.shape, ", "), end - begin));
  }
  return {std::move(entry.name), *dtype, std::move(sized.shape), data.subspan(begin, end - begin)};
}

// `tensors` sorted by their data: each must begin where the one before ends, and the last ends with the file.
void check_coverage(const std::vector<TensorView>& tensors, std::span<const std::byte> data, const std::string& file) {
  const std::byte* expected = data.data();
  for (const TensorView& tensor : tensors) {
    if (tensor.bytes.data() != expected) {
      fail(file, tensor.name,
           fmt::format("expected its data at offset {}, found {}: {}", expected - data.data(),
                       tensor.bytes.data() - data.data(),
                       tensor.bytes.data() < expected ? "two tensors overlap" : "a hole in the file"));
    }
    expected += tensor.bytes.size();
  }
  const auto rest = data.data() + data.size() - expected;
  if (rest != 0) {
    throw Error(ErrorKind::model,
                fmt::format("{}: expected the tensors to fill the file, found {} bytes behind the last", file, rest));
  }
}

bool lies_before(const TensorView& left, const TensorView& right) {
  if (left.bytes.data() != right.bytes.data()) return left.bytes.data() < right.bytes.data();
  if (left.bytes.size() != right.bytes.size()) return left.bytes.size() < right.bytes.size();
  return left.name < right.name;
}

}  // namespace

bool is_safetensors(std::span<const std::byte> file) {
  std::uint64_t length = 0;
  if (file.size() < prefix_size) return false;
  std::memcpy(&length, file.data(), prefix_size);
  return length <= most_header_bytes;
}

SafetensorsContents parse_safetensors(std::span<const std::byte> file, const std::string& name) {
  const std::string_view text = header_of(file, name);
  const auto data = file.subspan(prefix_size + text.size());
  HeaderText header = read_header_text(text, name);
  SafetensorsContents contents;
  contents.metadata = std::move(header.metadata);
  contents.tensors.reserve(header.entries.size());
  for (HeaderEntry& entry : header.entries) contents.tensors.push_back(view_of(entry, data, name));
  std::sort(contents.tensors.begin(), contents.tensors.end(), lies_before);
  check_coverage(contents.tensors, data, name);
  return contents;
}

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path, Access access) {
  return read(std::make_shared<const MappedFile>(MappedFile::open(path, {.access = access})));
}

SafetensorsFile SafetensorsFile::read(const std::shared_ptr<const MappedFile>& file) {
  SafetensorsContents contents;
  try {
    contents = parse_safetensors(file->bytes(), file->path().string());
  } catch (const Error&) {
    file->check();  // a header that is just being written reads as zeros
    throw;
  }
  file->check();
  return {file, std::move(contents.tensors), std::move(contents.metadata)};
}

}  // namespace nunchi::formats
