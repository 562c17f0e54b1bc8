#include "formats/npy.h"

#include "core/assert.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "core/file.h"

namespace nunchi::formats {
namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t most_header_bytes = 1 << 16;
constexpr std::size_t most_axes = 64;  // the limit of numpy 2

constexpr std::array<std::pair<Dtype, std::string_view>, 13> descriptions{{
    {Dtype::boolean, "|b1"},
    {Dtype::u8, "|u1"},
    {Dtype::i8, "|i1"},
    {Dtype::i16, "<i2"},
    {Dtype::u16, "<u2"},
    {Dtype::f16, "<f2"},
    {Dtype::i32, "<i4"},
    {Dtype::u32, "<u4"},
    {Dtype::f32, "<f4"},
    {Dtype::c64, "<c8"},
    {Dtype::f64, "<f8"},
    {Dtype::i64, "<i8"},
    {Dtype::u64, "<u8"},
}};

struct NpyHeader {
  std::optional<Dtype> dtype;
  std::optional<bool> fortran_order;
  std::optional<std::vector<std::int64_t>> shape;
};

// Reads the one form of Python dictionary that numpy writes: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3),
// }
class HeaderReader {
 public:
  HeaderReader(std::string_view text, const std::string& file) : text_(text), file_(file) {}
  NpyHeader read();

 private:
  [[noreturn]] void fail(std::string_view expected) const;
  void skip_spaces() { position_ = std::min(text_.find_first_not_of(" \t\n\r", position_), text_.size()); }
  bool accept(std::string_view token);
  void expect(std::string_view token) {
    if (!accept(token)) fail(token);
  }
  std::string_view quoted_text();
  std::int64_t size();
  std::vector<std::int64_t> sizes();
  void field(NpyHeader& header);
  Dtype dtype();

  std::string_view text_;
  const std::string& file_;
  std::size_t position_ = 0;
};

void HeaderReader::fail(std::string_view expected) const {
  throw Error(ErrorKind::input,
              fmt::format("{}: npy header: expected {} at byte {} of it", file_, expected, position_));
}

bool HeaderReader::accept(std::string_view token) {
  skip_spaces();
  if (text_.substr(position_, token.size()) != token) return false;
  position_ += token.size();
  return true;
}

std::string_view HeaderReader::quoted_text() {
  skip_spaces();
  const char quote = position_ < text_.size() ? text_[position_] : '\0';
  const auto end = quote == '\'' || quote == '"' ? text_.find(quote, position_ + 1) : std::string_view::npos;
  if (end == std::string_view::npos) fail("a text in quotes (a plain array, no structured one)");
  const auto text = text_.substr(position_ + 1, end - position_ - 1);
  position_ = end + 1;
  return text;
}

std::int64_t HeaderReader::size() {
  skip_spaces();
  std::int64_t value = 0;
  const char* const begin = text_.data() + position_;
  const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
  if (error != std::errc() || value < 0) fail("a size");
  position_ += static_cast<std::size_t>(end - begin);
  accept("L");  // Python 2 wrote long integers so
  return value;
}

std::vector<std::int64_t> HeaderReader::sizes() {
  std::vector<std::int64_t> shape;
  expect("(");
  while (!accept(")")) {
    if (shape.size() == most_axes) fail(fmt::format("at most {} axes", most_axes));
    shape.push_back(size());
    if (accept(",")) continue;
    expect(")");
    break;
  }
  return shape;
}

Dtype HeaderReader::dtype() {
  const std::string_view text = quoted_text();
  for (const auto& [dtype, description] : descriptions) {
    const bool one_byte = description.front() == '|' && text.size() == 3 && text.substr(1) == description.substr(1);
    if (text == description || one_byte) return dtype;
  }
  fail("a description of little-endian numbers, such as '<f4',");
}

void HeaderReader::field(NpyHeader& header) {
  const std::string_view name = quoted_text();
  expect(":");
  if (name == "descr" && !header.dtype) {
    header.dtype = dtype();
  } else if (name == "shape" && !header.shape) {
    header.shape = sizes();
  } else if (name == "fortran_order" && !header.fortran_order) {
    header.fortran_order = accept("True");
    if (!*header.fortran_order) expect("False");
  } else {
    fail("one each of descr, fortran_order and shape");
  }
}

NpyHeader HeaderReader::read() {
  NpyHeader header;
  expect("{");
  while (!accept("}")) {
    field(header);
    if (accept(",")) continue;
    expect("}");
    break;
  }
  skip_spaces();
  if (position_ != text_.size()) fail("nothing behind the dictionary");
  if (!header.dtype || !header.fortran_order || !header.shape) fail("one each of descr, fortran_order and shape");
  return header;
}

// The text of the header; `file` becomes what follows it.
std::string_view take_header(std::span<const std::byte>& file, const std::string& name) {
  const std::string_view all(reinterpret_cast<const char*>(file.data()), file.size());
  const int version = all.size() > 6 ? static_cast<unsigned char>(all[6]) : 0;
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  const std::size_t start = magic.size() + 2 + length_bytes;
  if (all.substr(0, magic.size()) != magic || all.size() < start) {
    throw Error(ErrorKind::input,
                fmt::format("{}: expected an array as numpy.save writes it, found another file", name));
  }
  if (version < 1 || version > 3) {
    throw Error(ErrorKind::input, fmt::format("{}: expected npy version 1 to 3, found {}", name, version));
  }
  std::uint32_t length = 0;
  std::memcpy(&length, file.data() + magic.size() + 2, length_bytes);
  if (length > most_header_bytes || length > all.size() - start) {
    throw Error(ErrorKind::input, fmt::format("{}: npy header: found a length of {}, expected at most {}", name, length,
                                              std::min(most_header_bytes, all.size() - start)));
  }
  file = file.subspan(start + length);
  return all.substr(start, length);
}

void check_size(const NpyHeader& header, std::size_t found, const std::string& name) {
  std::uint64_t expected = element_bits(*header.dtype) / 8;
  bool empty = false;
  for (const std::int64_t size : *header.shape) {
    empty = empty || size == 0;
    if (__builtin_mul_overflow(expected, static_cast<std::uint64_t>(std::max<std::int64_t>(size, 1)), &expected)) {
      throw Error(ErrorKind::input,
                  fmt::format("{}: the shape ({}) is larger than any memory", name, fmt::join(*header.shape, ", ")));
    }
  }
  if (empty) expected = 0;
  if (expected == found) return;
  throw Error(ErrorKind::input, fmt::format("{}: expected {} bytes for {} ({}), found {}", name, expected,
                                            dtype_name(*header.dtype), fmt::join(*header.shape, ", "), found));
}

// Walks the row-major result in order and keeps the place in the column-major source beside it.
std::vector<std::byte> row_major(std::span<const std::byte> source, std::size_t element,
                                 const std::vector<std::int64_t>& shape) {
  std::vector<std::byte> result(source.size());
  std::vector<std::size_t> index(shape.size(), 0);
  std::vector<std::size_t> stride(shape.size(), element);
  for (std::size_t axis = 1; axis < shape.size(); ++axis) {
    stride[axis] = stride[axis - 1] * static_cast<std::size_t>(shape[axis - 1]);
  }
  std::size_t from = 0;
  for (std::size_t to = 0; to < result.size(); to += element) {
    std::memcpy(result.data() + to, source.data() + from, element);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      from += stride[axis];
      if (++index[axis] < static_cast<std::size_t>(shape[axis])) break;
      from -= stride[axis] * std::exchange(index[axis], 0);
    }
  }
  return result;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("({}{})", fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
}

std::string_view description_of(Dtype dtype) {
  const auto found =
      std::find_if(descriptions.begin(), descriptions.end(), [&](const auto& row) { return row.first == dtype; });
  ASSERT(found != descriptions.end(), "numpy knows this dtype");
  return found->second;
}

}  // namespace

NpyArray parse_npy(std::span<const std::byte> file, const std::string& name) {
  const std::string_view text = take_header(file, name);
  NpyHeader header = HeaderReader(text, name).read();
  check_size(header, file.size(), name);
  NpyArray array{.dtype = *header.dtype, .shape = std::move(*header.shape), .bytes = {}};
  if (*header.fortran_order && array.shape.size() > 1) {
    array.bytes = row_major(file, element_bits(array.dtype) / 8, array.shape);
  } else {
    array.bytes.assign(file.begin(), file.end());
  }
  return array;
}

NpyArray read_npy(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path, {.access = Access::sequential, .error_kind = ErrorKind::input});
  NpyArray array = parse_npy(file.bytes(), path.string());
  file.check();
  return array;
}

void write_npy(const std::filesystem::path& path, Dtype dtype, const std::vector<std::int64_t>& shape,
               std::span<const std::byte> bytes) {
  constexpr std::size_t block = 64;  // numpy aligns the data to it
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", description_of(dtype), shape_text(shape));
  const std::size_t start = magic.size() + 4;
  header.resize((start + header.size() + block) / block * block - start, ' ');
  header.back() = '\n';
  std::uint64_t expected = element_bits(dtype) / 8;
  for (const std::int64_t size : shape) expected *= static_cast<std::uint64_t>(size);
  ASSERT(expected == bytes.size(), "the bytes of an array match its shape and dtype");
  const auto length = static_cast<std::uint16_t>(header.size());
  write_atomically(path, [&](Writer& writer) {
    writer.reserve(start + header.size() + bytes.size());
    writer.write(magic);
    writer.write(std::string_view("\x01\x00", 2));
    writer.write(std::as_bytes(std::span(&length, 1)));
    writer.write(header);
    writer.write(bytes);
  });
}

}  // namespace nunchi::formats
