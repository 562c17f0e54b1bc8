#include "image/exif.h"

#include <cstring>
#include <string_view>
#include <utility>

namespace nunchi::image {
namespace {

constexpr std::string_view exif_header{"Exif\0\0", 6};
constexpr std::size_t entry_size = 12;

class TiffReader {
 public:
  TiffReader(std::span<const std::uint8_t> block, bool big_endian) : block_(block), big_endian_(big_endian) {}

  bool has(std::size_t offset, std::size_t count) const {
    return offset <= block_.size() && count <= block_.size() - offset;
  }

  std::uint32_t number(std::size_t offset, std::size_t count) const {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t shift = 8 * (big_endian_ ? count - 1 - i : i);
      value |= static_cast<std::uint32_t>(block_[offset + i]) << shift;
    }
    return value;
  }

 private:
  std::span<const std::uint8_t> block_;
  bool big_endian_;
};

std::string_view as_text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::optional<TiffReader> open_block(std::span<const std::uint8_t> block) {
  const std::string_view text = as_text(block).substr(0, 4);
  if (text == std::string_view("II*\0", 4)) return TiffReader(block, false);
  if (text == std::string_view("MM\0*", 4)) return TiffReader(block, true);
  return std::nullopt;
}

// Of the types a writer may choose for this tag: byte, short and long.
std::size_t bytes_of_type(std::uint32_t type) { return type == 1 ? 1 : type == 3 ? 2 : type == 4 ? 4 : 0; }

std::optional<int> in_range(std::uint32_t value) {
  if (value < 1 || value > 8) return std::nullopt;
  return static_cast<int>(value);
}

}  // namespace

std::optional<int> exif_orientation(std::span<const std::uint8_t> block) {
  for (int i = 0; i < 2 && as_text(block).starts_with(exif_header); ++i) block = block.subspan(exif_header.size());
  const auto reader = open_block(block);
  if (!reader || !reader->has(4, 4)) return std::nullopt;
  const std::size_t directory = reader->number(4, 4);
  if (!reader->has(directory, 2)) return std::nullopt;
  const std::size_t entries = reader->number(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * entry_size;
    if (!reader->has(entry, entry_size)) return std::nullopt;
    if (reader->number(entry, 2) != 0x0112) continue;
    const std::size_t bytes = bytes_of_type(reader->number(entry + 2, 2));
    if (bytes == 0 || reader->number(entry + 4, 4) != 1) return std::nullopt;
    return in_range(reader->number(entry + 8, bytes));
  }
  return std::nullopt;
}

std::optional<int> xmp_orientation(std::span<const std::uint8_t> packet) {
  constexpr std::string_view key = "tiff:Orientation";
  const std::string_view text = as_text(packet);
  for (auto at = text.find(key); at != std::string_view::npos; at = text.find(key, at + 1)) {
    std::string_view rest = text.substr(at + key.size());
    if (rest.starts_with("=\"")) {
      rest.remove_prefix(2);
    } else if (rest.starts_with(">")) {
      rest.remove_prefix(1);
    } else {
      continue;
    }
    if (!rest.empty() && rest[0] >= '0' && rest[0] <= '9') return in_range(static_cast<std::uint32_t>(rest[0] - '0'));
  }
  return std::nullopt;
}

int orientation_of(std::span<const std::uint8_t> exif, std::span<const std::uint8_t> xmp) {
  if (const auto orientation = exif_orientation(exif)) return *orientation;
  return xmp_orientation(xmp).value_or(1);
}

void apply_orientation(Picture& picture, int orientation) {
  if (orientation < 2 || orientation > 8) return;
  const bool transposed = orientation >= 5;
  const bool mirrored = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool flipped = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const int width = picture.width;
  const int height = picture.height;
  const auto channels = static_cast<std::size_t>(picture.channels);
  Picture upright =
      transposed ? make_picture(height, width, picture.channels) : make_picture(width, height, picture.channels);
  for (int y = 0; y < upright.height; ++y) {
    std::uint8_t* out = upright.row(y);
    for (int x = 0; x < upright.width; ++x, out += channels) {
      const int across = transposed ? y : x;
      const int down = transposed ? x : y;
      const int source_x = mirrored ? width - 1 - across : across;
      const int source_y = flipped ? height - 1 - down : down;
      std::memcpy(out, picture.row(source_y) + static_cast<std::size_t>(source_x) * channels, channels);
    }
  }
  picture = std::move(upright);
}

}  // namespace nunchi::image
