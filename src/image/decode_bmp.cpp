// Windows and OS/2 bitmaps as Pillow reads them: 1, 4, 8 bits with a palette, RLE4 and RLE8, 16, 24, 32 bits with the
// usual masks; rows from the bottom up or, with a negative height, from the top down.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include "image/codecs.h"

namespace nunchi::image {
namespace {

enum Compression : std::uint32_t { raw = 0, rle8 = 1, rle4 = 2, bitfields = 3 };

class Bytes {
 public:
  explicit Bytes(const Source& source) : source_(source) {}

  const std::uint8_t* at(std::size_t offset, std::size_t count) const {
    if (offset > source_.size() || count > source_.size() - offset) source_.fail("BMP", "the file ends too early");
    return source_.data() + offset;
  }
  std::uint32_t u16(std::size_t offset) const {
    const auto* p = at(offset, 2);
    return p[0] | std::uint32_t{p[1]} << 8;
  }
  std::uint32_t u32(std::size_t offset) const { return u16(offset) | u16(offset + 2) << 16; }

 private:
  const Source& source_;
};

struct Header {
  std::int64_t width = 0, height = 0;
  bool top_down = false;
  std::uint32_t bits = 0, compression = raw, colors = 0;
  std::size_t palette_offset = 0, palette_entry = 4, pixel_offset = 0;
  std::array<std::uint32_t, 3> masks{};
};

Header read_core_header(const Bytes& bytes, std::size_t size) {
  return {.width = bytes.u16(18),
          .height = bytes.u16(20),
          .bits = bytes.u16(24),
          .palette_offset = 14 + size,
          .palette_entry = 3};
}

Header read_info_header(const Bytes& bytes, std::size_t size) {
  Header header{.width = static_cast<std::int32_t>(bytes.u32(18)),
                .height = static_cast<std::int32_t>(bytes.u32(22)),
                .bits = bytes.u16(28),
                .compression = bytes.u32(30),
                .colors = bytes.u32(46),
                .palette_offset = 14 + size};
  header.top_down = header.height < 0;
  if (header.top_down) header.height = -header.height;
  if (header.compression != bitfields) return header;
  for (std::size_t i = 0; i < 3; ++i) header.masks[i] = bytes.u32(54 + 4 * i);  // inside the header from version 2 on
  if (size == 40) header.palette_offset += 12;
  return header;
}

Header read_header(const Source& source, const Bytes& bytes) {
  const std::uint32_t size = bytes.u32(14);
  constexpr std::array<std::uint32_t, 6> info_sizes{40, 52, 56, 64, 108, 124};
  const bool info = std::find(info_sizes.begin(), info_sizes.end(), size) != info_sizes.end();
  if (!info && size != 12) source.fail("BMP", fmt::format("a header of {} bytes", size));
  Header header = info ? read_info_header(bytes, size) : read_core_header(bytes, size);
  source.check_size("BMP", header.width, header.height);
  if (header.bits <= 8 && header.colors == 0) header.colors = 1u << header.bits;
  const std::size_t palette_bytes = header.bits <= 8 ? header.palette_entry * header.colors : 0;
  header.pixel_offset = bytes.u32(10);
  if (header.pixel_offset == 0) header.pixel_offset = header.palette_offset + palette_bytes;
  // Some writers leave the palette out of the offset.
  if (header.pixel_offset == 14 + std::size_t{size}) header.pixel_offset += palette_bytes;
  return header;
}

using Palette = std::array<std::array<std::uint8_t, 3>, 256>;

Palette read_palette(const Source& source, const Bytes& bytes, const Header& header) {
  if (header.colors > 65536) source.fail("BMP", fmt::format("a palette of {} colours", header.colors));
  Palette palette{};
  for (std::size_t i = 0; i < std::min<std::size_t>(header.colors, palette.size()); ++i) {
    const auto* bgr = bytes.at(header.palette_offset + i * header.palette_entry, 3);
    palette[i] = {bgr[2], bgr[1], bgr[0]};
  }
  return palette;
}

std::size_t stride_of(const Header& header) {
  return (static_cast<std::size_t>(header.width) * header.bits + 31) / 32 * 4;
}

// One index a byte, in the order of the file.
Buffer<std::uint8_t> unpack_indexes(const Bytes& bytes, const Header& header) {
  const auto width = static_cast<std::size_t>(header.width);
  const std::size_t stride = stride_of(header);
  const std::uint8_t* data = bytes.at(header.pixel_offset, stride * static_cast<std::size_t>(header.height));
  const std::size_t per_byte = 8 / header.bits;
  const auto mask = static_cast<std::uint8_t>((1u << header.bits) - 1);
  Buffer<std::uint8_t> indexes;
  indexes.reserve(width * static_cast<std::size_t>(header.height));
  for (std::int64_t y = 0; y < header.height; ++y, data += stride) {
    for (std::size_t x = 0; x < width; ++x) {
      const std::size_t shift = header.bits * (per_byte - 1 - x % per_byte);
      indexes.push_back(static_cast<std::uint8_t>(data[x / per_byte] >> shift) & mask);
    }
  }
  return indexes;
}

// Run-length decoding (Microsoft's "Bitmap Compression"), with Pillow's treatment of runs that leave their row.
class RunDecoder {
 public:
  RunDecoder(const Source& source, const Header& header)
      : source_(source),
        four_bits_(header.compression == rle4),
        width_(static_cast<std::size_t>(header.width)),
        total_(width_ * static_cast<std::size_t>(header.height)),
        at_(header.pixel_offset) {
    indexes_.reserve(total_);
  }

  Buffer<std::uint8_t> decode() {
    while (indexes_.size() < total_ && step()) {
    }
    if (indexes_.size() < total_) source_.fail("BMP", "its runs end before the last row");
    indexes_.resize(total_);
    return std::move(indexes_);
  }

 private:
  std::optional<std::uint8_t> next() {
    if (at_ >= source_.size()) return std::nullopt;
    return source_.data()[at_++];
  }

  bool step() {
    const auto count = next();
    const auto value = next();
    if (!count || !value) return false;
    if (*count != 0) return run(*count, *value);
    if (*value == 0) return end_of_line();
    if (*value == 1) return false;
    return *value == 2 ? skip() : literal(*value);
  }

  bool run(std::size_t count, std::uint8_t value) {
    count = std::min(count, width_ - std::min(x_, width_));
    for (std::size_t i = 0; i < count; ++i) {
      indexes_.push_back(!four_bits_ ? value : static_cast<std::uint8_t>(i % 2 == 0 ? value >> 4 : value & 15));
    }
    x_ += count;
    return true;
  }

  bool end_of_line() {
    while (indexes_.size() % width_ != 0) indexes_.push_back(0);
    x_ = 0;
    return true;
  }

  bool skip() {
    const auto right = next();
    const auto up = next();
    if (!right || !up) return false;
    indexes_.resize(indexes_.size() + std::min(total_ - indexes_.size(), *right + *up * width_), 0);
    x_ = indexes_.size() % width_;
    return true;
  }

  bool literal(std::size_t count) {
    const std::size_t pixels = std::min(total_ - indexes_.size(), count);
    const std::size_t bytes = four_bits_ ? (pixels + 1) / 2 : pixels;
    if (bytes > source_.size() - at_) return false;
    for (std::size_t i = 0; i < pixels; ++i) {
      const std::uint8_t byte = source_.data()[at_ + (four_bits_ ? i / 2 : i)];
      indexes_.push_back(!four_bits_ ? byte : static_cast<std::uint8_t>(i % 2 == 0 ? byte >> 4 : byte & 15));
    }
    at_ += bytes + (at_ + bytes) % 2;  // padded to 16 bits
    x_ += count;
    return true;
  }

  const Source& source_;
  bool four_bits_;
  std::size_t width_, total_, at_, x_ = 0;
  Buffer<std::uint8_t> indexes_;
};

// The row of the picture that row `y` of the file is.
int row_in_picture(const Header& header, std::int64_t y) {
  return static_cast<int>(header.top_down ? y : header.height - 1 - y);
}

void read_palette_pixels(const Source& source, const Bytes& bytes, const Header& header, Picture& picture) {
  const Palette palette = read_palette(source, bytes, header);
  const auto indexes = header.compression == raw ? unpack_indexes(bytes, header) : RunDecoder(source, header).decode();
  const std::uint8_t* index = indexes.data();
  for (std::int64_t y = 0; y < header.height; ++y) {
    std::uint8_t* out = picture.row(row_in_picture(header, y));
    for (std::int64_t x = 0; x < header.width; ++x, out += 3) std::memcpy(out, palette[*index++].data(), 3);
  }
}

// Where red, green and blue stand in a pixel: byte offsets for 24 and 32 bits, shifts and widths for 16.
struct PixelLayout {
  std::array<std::size_t, 3> byte{2, 1, 0};
  unsigned green_bits = 5;
};

PixelLayout layout_of(const Source& source, const Header& header) {
  if (header.compression == raw) return {};
  using Masks = std::array<std::uint32_t, 3>;
  const Masks& masks = header.masks;
  if (header.bits == 16 && masks == Masks{0xf800, 0x7e0, 0x1f}) return {.green_bits = 6};
  if (header.bits == 16 && masks == Masks{0x7c00, 0x3e0, 0x1f}) return {};
  if (header.bits >= 24 && masks == Masks{0xff0000, 0xff00, 0xff}) return {};
  if (header.bits == 32 && masks == Masks{0, 0, 0}) return {};
  if (header.bits == 32 && masks == Masks{0xff000000, 0xff0000, 0xff00}) return {.byte = {3, 2, 1}};
  if (header.bits == 32 && masks == Masks{0xff000000, 0xff00, 0xff}) return {.byte = {3, 1, 0}};
  if (header.bits == 32 && masks == Masks{0xff, 0xff00, 0xff0000}) return {.byte = {0, 1, 2}};
  source.fail("BMP", fmt::format("unusual colour masks {:x} {:x} {:x}", masks[0], masks[1], masks[2]));
}

void unpack_16(const std::uint8_t* in, unsigned green_bits, std::uint8_t* rgb) {
  const unsigned pixel = in[0] | static_cast<unsigned>(in[1]) << 8;
  const unsigned green_max = (1u << green_bits) - 1;
  rgb[0] = static_cast<std::uint8_t>((pixel >> (5 + green_bits) & 31) * 255 / 31);
  rgb[1] = static_cast<std::uint8_t>((pixel >> 5 & green_max) * 255 / green_max);
  rgb[2] = static_cast<std::uint8_t>((pixel & 31) * 255 / 31);
}

void read_color_pixels(const Source& source, const Bytes& bytes, const Header& header, Picture& picture) {
  const PixelLayout layout = layout_of(source, header);
  const std::size_t stride = stride_of(header);
  const std::size_t pixel_bytes = header.bits / 8;
  const std::uint8_t* row = bytes.at(header.pixel_offset, stride * static_cast<std::size_t>(header.height));
  for (std::int64_t y = 0; y < header.height; ++y, row += stride) {
    std::uint8_t* out = picture.row(row_in_picture(header, y));
    const std::uint8_t* in = row;
    for (std::int64_t x = 0; x < header.width; ++x, in += pixel_bytes, out += 3) {
      if (header.bits == 16) {
        unpack_16(in, layout.green_bits, out);
      } else {
        for (std::size_t i = 0; i < 3; ++i) out[i] = in[layout.byte[i]];
      }
    }
  }
}

bool readable(const Header& header) {
  switch (header.bits) {
    case 1:
      return header.compression == raw;
    case 4:
      return header.compression == raw || header.compression == rle4;
    case 8:
      return header.compression == raw || header.compression == rle8;
    case 16:
    case 24:
    case 32:
      return header.compression == raw || header.compression == bitfields;
    default:
      return false;
  }
}

}  // namespace

Decoded decode_bmp(const Source& source) {
  const Bytes bytes(source);
  const Header header = read_header(source, bytes);
  if (!readable(header)) source.fail("BMP", fmt::format("{} bits, compression {}", header.bits, header.compression));
  if (header.compression == raw)
    bytes.at(header.pixel_offset, stride_of(header) * static_cast<std::size_t>(header.height));
  Decoded decoded{make_picture(static_cast<int>(header.width), static_cast<int>(header.height))};
  if (header.bits <= 8) {
    read_palette_pixels(source, bytes, header, decoded.picture);
  } else {
    read_color_pixels(source, bytes, header, decoded.picture);
  }
  return decoded;
}

}  // namespace nunchi::image
