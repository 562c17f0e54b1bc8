// TIFF through libtiff, first page. libtiff decompresses; the meaning of the samples is ours and follows Pillow.
#include <fmt/format.h>
#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdarg>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "image/codecs.h"
#include "image/exif.h"

namespace nunchi::image {
namespace {

struct Stream {
  const Source& source;
  toff_t position = 0;
  std::string message{};
  bool reading_pixels = false;  // a warning about pixel data means that some of it is lost
};

tmsize_t read_bytes(thandle_t handle, void* destination, tmsize_t count) {
  auto& stream = *static_cast<Stream*>(handle);
  if (count < 0 || stream.position >= stream.source.size()) return 0;
  const auto given = std::min<std::size_t>(static_cast<std::size_t>(count), stream.source.size() - stream.position);
  std::memcpy(destination, stream.source.data() + stream.position, given);
  stream.position += given;
  return static_cast<tmsize_t>(given);
}

tmsize_t write_nothing(thandle_t, void*, tmsize_t) { return 0; }

toff_t seek(thandle_t handle, toff_t offset, int from) {
  auto& stream = *static_cast<Stream*>(handle);
  const toff_t base = from == SEEK_CUR ? stream.position : from == SEEK_END ? stream.source.size() : 0;
  stream.position = base + offset;
  return stream.position;
}

int close_nothing(thandle_t) { return 0; }
toff_t size_of(thandle_t handle) { return static_cast<Stream*>(handle)->source.size(); }

int map_file(thandle_t handle, void** base, toff_t* size) {
  const auto& stream = *static_cast<Stream*>(handle);
  *base = const_cast<std::uint8_t*>(stream.source.data());
  *size = stream.source.size();
  return 1;
}

void unmap_file(thandle_t, void*, toff_t) {}

std::string text_of(const char* format, va_list arguments) {
  std::array<char, 300> text{};
  std::vsnprintf(text.data(), text.size(), format, arguments);
  return text.data();
}

int on_error(TIFF*, void* user, const char*, const char* format, va_list arguments) {
  auto& stream = *static_cast<Stream*>(user);
  if (stream.message.empty()) stream.message = text_of(format, arguments);
  return 1;
}

// Warnings about unknown tags are harmless; a tag that could not be read may have been the palette.
int on_warning(TIFF*, void* user, const char*, const char* format, va_list arguments) {
  auto& stream = *static_cast<Stream*>(user);
  const std::string text = text_of(format, arguments);
  const bool lost_tag = text.find("IO error during reading") != std::string::npos;
  if (stream.message.empty() && (stream.reading_pixels || lost_tag)) stream.message = text;
  return 1;
}

using Handle = std::unique_ptr<TIFF, void (*)(TIFF*)>;

Handle open(Stream& stream) {
  const std::unique_ptr<TIFFOpenOptions, void (*)(TIFFOpenOptions*)> options(TIFFOpenOptionsAlloc(),
                                                                             TIFFOpenOptionsFree);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), on_error, &stream);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), on_warning, &stream);
  Handle tiff(TIFFClientOpenExt("picture", "r", &stream, read_bytes, write_nothing, seek, close_nothing, size_of,
                                map_file, unmap_file, options.get()),
              TIFFClose);
  if (!tiff) stream.source.fail("TIFF", stream.message);
  return tiff;
}

struct Layout {
  std::uint32_t width = 0, height = 0;
  std::uint16_t bits = 1, samples = 1, photometric = 0, planar = PLANARCONFIG_CONTIG, format = SAMPLEFORMAT_UINT,
                compression = COMPRESSION_NONE, orientation = 1;
  std::optional<std::uint16_t> extra;  // meaning of the first extra sample

  std::size_t planes() const { return planar == PLANARCONFIG_SEPARATE ? samples : 1; }
  std::size_t samples_in_plane() const { return planar == PLANARCONFIG_SEPARATE ? 1 : samples; }
  std::size_t colors() const {
    return photometric == PHOTOMETRIC_RGB || photometric == PHOTOMETRIC_YCBCR ? 3
           : photometric == PHOTOMETRIC_SEPARATED                             ? 4
                                                                              : 1;
  }
};

template <class T>
T field_or(TIFF* tiff, std::uint32_t tag, T fallback) {
  T value{};
  return TIFFGetFieldDefaulted(tiff, tag, &value) == 1 ? value : fallback;
}

Layout read_layout(TIFF* tiff) {
  Layout layout;
  layout.width = field_or<std::uint32_t>(tiff, TIFFTAG_IMAGEWIDTH, 0);
  layout.height = field_or<std::uint32_t>(tiff, TIFFTAG_IMAGELENGTH, 0);
  layout.bits = field_or<std::uint16_t>(tiff, TIFFTAG_BITSPERSAMPLE, 1);
  layout.samples = field_or<std::uint16_t>(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
  layout.photometric = field_or<std::uint16_t>(tiff, TIFFTAG_PHOTOMETRIC, 0);
  layout.planar = field_or<std::uint16_t>(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  layout.format = field_or<std::uint16_t>(tiff, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
  layout.compression = field_or<std::uint16_t>(tiff, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
  layout.orientation = field_or<std::uint16_t>(tiff, TIFFTAG_ORIENTATION, 1);
  std::uint16_t count = 0;
  std::uint16_t* kinds = nullptr;
  if (TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds) == 1 && count > 0) layout.extra = kinds[0];
  return layout;
}

void check_layout(const Source& source, const Layout& layout) {
  source.check_size("TIFF", layout.width, layout.height);
  const bool gray = layout.photometric <= PHOTOMETRIC_MINISBLACK;
  const bool known = gray || layout.photometric == PHOTOMETRIC_RGB || layout.photometric == PHOTOMETRIC_PALETTE ||
                     layout.photometric == PHOTOMETRIC_SEPARATED || layout.photometric == PHOTOMETRIC_YCBCR;
  const bool narrow = layout.bits == 1 || layout.bits == 2 || layout.bits == 4;
  const bool depth = layout.bits == 8 || layout.bits == 16 || (narrow && layout.colors() == 1 && layout.samples == 1) ||
                     (gray && layout.samples == 1 && (layout.bits == 12 || layout.bits == 32));
  const bool real = layout.format == SAMPLEFORMAT_IEEEFP;
  const bool format = layout.format <= SAMPLEFORMAT_INT || (real && gray && layout.bits == 32);
  if (known && depth && format && layout.samples >= layout.colors() && layout.samples <= 6) return;
  source.fail("TIFF",
              fmt::format("photometric {}, {} samples of {} bits, format {}: a kind without a conversion to RGB",
                          layout.photometric, layout.samples, layout.bits, layout.format));
}

// All samples, decompressed: plane after plane, rows of `row_bytes`.
struct Samples {
  std::size_t row_bytes = 0;
  Buffer<std::uint8_t> bytes;
};

class PixelReader {
 public:
  PixelReader(Stream& stream, TIFF* tiff, const Layout& layout) : stream_(stream), tiff_(tiff), layout_(layout) {
    samples_.row_bytes = (layout.width * layout.samples_in_plane() * layout.bits + 7) / 8;
  }

  Samples read() {
    const std::size_t plane_bytes = samples_.row_bytes * layout_.height;
    check_memory(plane_bytes * layout_.planes());
    samples_.bytes.resize(plane_bytes * layout_.planes());
    stream_.reading_pixels = true;
    for (std::size_t plane = 0; plane < layout_.planes(); ++plane) {
      std::uint8_t* rows = samples_.bytes.data() + plane * plane_bytes;
      if (TIFFIsTiled(tiff_) != 0) {
        read_tiles(rows, static_cast<std::uint16_t>(plane));
      } else {
        read_strips(rows, static_cast<std::uint16_t>(plane));
      }
    }
    check(true);
    return std::move(samples_);
  }

 private:
  // A few bytes must not make us reserve gigabytes: no codec of TIFF expands more than about a thousandfold, except
  // where whole rows are uniform, so files are given that much and 64 MiB.
  void check_memory(std::size_t bytes) const {
    constexpr std::size_t free_bytes = std::size_t{64} << 20;
    if (bytes > free_bytes && bytes / 4096 > stream_.source.size()) {
      stream_.source.fail("TIFF",
                          fmt::format("{} bytes cannot hold its {} bytes of pixels", stream_.source.size(), bytes));
    }
  }

  void check(bool done) const {
    if (!done || !stream_.message.empty()) {
      stream_.source.fail("TIFF", stream_.message.empty() ? "its pixels cannot be read" : stream_.message);
    }
  }

  void read_strips(std::uint8_t* rows, std::uint16_t plane) {
    if (static_cast<std::size_t>(TIFFScanlineSize64(tiff_)) != samples_.row_bytes) check(false);
    for (std::uint32_t y = 0; y < layout_.height; ++y) {
      check(TIFFReadScanline(tiff_, rows + y * samples_.row_bytes, y, plane) == 1);
    }
  }

  void read_tiles(std::uint8_t* rows, std::uint16_t plane) {
    const auto tile_width = field_or<std::uint32_t>(tiff_, TIFFTAG_TILEWIDTH, 0);
    const auto tile_height = field_or<std::uint32_t>(tiff_, TIFFTAG_TILELENGTH, 0);
    const auto tile_row = static_cast<std::size_t>(TIFFTileRowSize64(tiff_));
    const auto tile_bytes = static_cast<std::size_t>(TIFFTileSize64(tiff_));
    check(tile_width > 0 && tile_height > 0 && tile_row > 0 && tile_bytes == tile_row * tile_height);
    check_memory(tile_bytes);
    Buffer<std::uint8_t> tile(tile_bytes);
    for (std::uint64_t y = 0; y < layout_.height; y += tile_height) {
      const std::size_t height = std::min<std::size_t>(tile_height, layout_.height - y);
      for (std::uint64_t x = 0; x < layout_.width; x += tile_width) {
        check(TIFFReadTile(tiff_, tile.data(), static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y), 0, plane) >
              0);
        const std::size_t start = x * layout_.samples_in_plane() * layout_.bits / 8;
        const std::size_t count = std::min(tile_row, samples_.row_bytes - start);
        for (std::size_t row = 0; row < height; ++row) {
          std::memcpy(rows + (y + row) * samples_.row_bytes + start, tile.data() + row * tile_row, count);
        }
      }
    }
  }

  Stream& stream_;
  TIFF* tiff_;
  const Layout& layout_;
  Samples samples_;
};

std::uint8_t clip(double value) { return value <= 0 ? 0 : value >= 255 ? 255 : static_cast<std::uint8_t>(value); }

// One sample as 8 bits the way Pillow narrows it: lone gray above 8 bits is clipped, colour keeps its high byte.
class Narrower {
 public:
  Narrower(const Layout& layout, const Samples& samples) : layout_(layout), samples_(samples) {
    lone_gray_ = layout.photometric <= PHOTOMETRIC_MINISBLACK && layout.samples == 1;
    inverted_ = layout.photometric == PHOTOMETRIC_MINISWHITE && layout.bits <= 8;
  }

  std::uint8_t sample(std::size_t x, std::size_t y, std::size_t channel) const {
    const std::size_t plane = layout_.planes() > 1 ? channel : 0;
    const std::size_t index = x * layout_.samples_in_plane() + (layout_.planes() > 1 ? 0 : channel);
    const std::uint8_t* row = samples_.bytes.data() + (plane * layout_.height + y) * samples_.row_bytes;
    switch (layout_.bits) {
      case 8:
        return inverted_ ? static_cast<std::uint8_t>(255 - row[index]) : row[index];
      case 12:
        return clip(twelve_bits(row, index));
      case 16:
        return sixteen_bits(row, index);
      case 32:
        return thirty_two_bits(row, index);
      default:
        return few_bits(row, index);
    }
  }

 private:
  static int twelve_bits(const std::uint8_t* row, std::size_t index) {
    const std::uint8_t* pair = row + index / 2 * 3;
    return index % 2 == 0 ? pair[0] << 4 | pair[1] >> 4 : (pair[1] & 15) << 8 | pair[2];
  }

  std::uint8_t sixteen_bits(const std::uint8_t* row, std::size_t index) const {
    std::uint16_t value = 0;
    std::memcpy(&value, row + 2 * index, 2);  // libtiff gives the machine's byte order
    if (!lone_gray_) return static_cast<std::uint8_t>(value >> 8);
    return clip(layout_.format == SAMPLEFORMAT_INT ? static_cast<std::int16_t>(value) : value);
  }

  std::uint8_t thirty_two_bits(const std::uint8_t* row, std::size_t index) const {
    std::int32_t integer = 0;
    float real = 0;
    std::memcpy(&integer, row + 4 * index, 4);
    std::memcpy(&real, row + 4 * index, 4);
    return layout_.format == SAMPLEFORMAT_IEEEFP ? (std::isnan(real) ? std::uint8_t{0} : clip(real)) : clip(integer);
  }

  std::uint8_t few_bits(const std::uint8_t* row, std::size_t index) const {
    const std::size_t per_byte = 8u / layout_.bits;
    const unsigned most = (1u << layout_.bits) - 1;
    const unsigned value = row[index / per_byte] >> (layout_.bits * (per_byte - 1 - index % per_byte)) & most;
    if (layout_.photometric == PHOTOMETRIC_PALETTE) return static_cast<std::uint8_t>(value);
    return static_cast<std::uint8_t>((inverted_ ? most - value : value) * (255 / most));
  }

  const Layout& layout_;
  const Samples& samples_;
  bool lone_gray_ = false, inverted_ = false;
};

using Palette = std::vector<std::array<std::uint8_t, 3>>;

Palette read_palette(const Source& source, TIFF* tiff, const Layout& layout) {
  std::array<std::uint16_t*, 3> channels{};
  if (layout.bits > 8 || TIFFGetField(tiff, TIFFTAG_COLORMAP, &channels[0], &channels[1], &channels[2]) != 1) {
    source.fail("TIFF", "a palette picture without a palette");
  }
  Palette palette(std::size_t{1} << layout.bits);
  for (std::size_t i = 0; i < palette.size(); ++i) {
    for (std::size_t c = 0; c < 3; ++c) palette[i][c] = static_cast<std::uint8_t>(channels[c][i] >> 8);
  }
  return palette;
}

// Colours stored multiplied by their alpha (ExtraSamples 1) are divided by it again.
void divide_by_alpha(std::uint8_t* rgb, unsigned alpha) {
  for (int i = 0; i < 3; ++i)
    rgb[i] = alpha == 0 ? 0 : static_cast<std::uint8_t>(std::min(rgb[i] * 255u / alpha, 255u));
}

void convert(const Layout& layout, const Narrower& in, const Palette& palette, Picture& picture) {
  std::uint8_t* rgb = picture.pixels.data();
  const bool premultiplied = layout.colors() == 3 && layout.samples > 3 && layout.extra == EXTRASAMPLE_ASSOCALPHA;
  for (std::size_t y = 0; y < layout.height; ++y) {
    for (std::size_t x = 0; x < layout.width; ++x, rgb += 3) {
      if (layout.photometric == PHOTOMETRIC_PALETTE) {
        std::memcpy(rgb, palette[in.sample(x, y, 0)].data(), 3);
      } else if (layout.colors() == 1) {
        std::memset(rgb, in.sample(x, y, 0), 3);
      } else if (layout.colors() == 4) {
        const std::array<std::uint8_t, 4> inks{in.sample(x, y, 0), in.sample(x, y, 1), in.sample(x, y, 2),
                                               in.sample(x, y, 3)};
        cmyk_to_rgb(inks.data(), rgb);
      } else {
        for (std::size_t c = 0; c < 3; ++c) rgb[c] = in.sample(x, y, c);
        if (premultiplied) divide_by_alpha(rgb, in.sample(x, y, 3));
      }
    }
  }
}

// YCbCr that no codec converts (subsampled LZW, old JPEG): libtiff's own conversion, as Pillow does.
void read_ycbcr(Stream& stream, TIFF* tiff, const Layout& layout, Picture& picture) {
  Buffer<std::uint32_t> abgr(static_cast<std::size_t>(layout.width) * layout.height);
  stream.reading_pixels = true;
  const int done = TIFFReadRGBAImageOriented(tiff, layout.width, layout.height, abgr.data(), layout.orientation, 1);
  if (done != 1 || !stream.message.empty()) stream.source.fail("TIFF", stream.message);
  std::uint8_t* out = picture.pixels.data();
  for (const std::uint32_t pixel : abgr) {
    *out++ = TIFFGetR(pixel);
    *out++ = TIFFGetG(pixel);
    *out++ = TIFFGetB(pixel);
  }
}

int orientation_of_file(TIFF* tiff, const Layout& layout) {
  std::uint32_t length = 0;
  const std::uint8_t* packet = nullptr;
  std::uint16_t tag = 0;
  if (TIFFGetField(tiff, TIFFTAG_ORIENTATION, &tag) == 1) return layout.orientation;
  if (TIFFGetField(tiff, TIFFTAG_XMLPACKET, &length, &packet) != 1) return 1;
  return xmp_orientation({packet, length}).value_or(1);
}

}  // namespace

Decoded decode_tiff(const Source& source) {
  Stream stream{source};
  const Handle tiff = open(stream);
  Layout layout = read_layout(tiff.get());
  check_layout(source, layout);
  const bool jpeg = layout.compression == COMPRESSION_JPEG && layout.planar == PLANARCONFIG_CONTIG;
  if (layout.photometric == PHOTOMETRIC_YCBCR && jpeg) {
    TIFFSetField(tiff.get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    layout.photometric = PHOTOMETRIC_RGB;
  }
  if (!stream.message.empty()) source.fail("TIFF", stream.message);
  Decoded decoded{make_picture(static_cast<int>(layout.width), static_cast<int>(layout.height))};
  if (layout.photometric == PHOTOMETRIC_YCBCR) {
    read_ycbcr(stream, tiff.get(), layout, decoded.picture);
  } else {
    const Palette palette =
        layout.photometric == PHOTOMETRIC_PALETTE ? read_palette(source, tiff.get(), layout) : Palette{};
    const Samples samples = PixelReader(stream, tiff.get(), layout).read();
    convert(layout, Narrower(layout, samples), palette, decoded.picture);
  }
  // Pillow turns a TIFF upright whether asked or not, so there is nothing left for a caller to switch off.
  apply_orientation(decoded.picture, orientation_of_file(tiff.get(), layout));
  return decoded;
}

}  // namespace nunchi::image
