// PNG through libpng. Only the critical chunks go there; EXIF and XMP are found by walking the chunks.
#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>
#include <string>
#include <vector>

#include "image/codecs.h"
#include "image/exif.h"

namespace nunchi::image {
namespace {

struct Stream {
  const Source& source;
  std::size_t position = 0;
  std::string message{};
};

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  static_cast<Stream*>(png_get_error_ptr(png))->message = message;
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void read_bytes(png_structp png, png_bytep destination, std::size_t count) {
  auto& stream = *static_cast<Stream*>(png_get_io_ptr(png));
  if (count > stream.source.size() - stream.position) png_error(png, "the file ends too early");
  std::memcpy(destination, stream.source.data() + stream.position, count);
  stream.position += count;
}

// How the rows come out of libpng: everything but palette indexes and 16-bit gray is RGB already.
enum class RowKind { rgb, indexes, gray16 };

struct Header {
  png_uint_32 width = 0, height = 0;
  RowKind kind = RowKind::rgb;
  int passes = 1;
};

// Pillow: 16-bit gray is clipped to 255, every other 16-bit kind keeps the high byte; tRNS and alpha are dropped.
RowKind choose_output(png_structp png, int depth, int color) {
  if (color == PNG_COLOR_TYPE_PALETTE) {
    png_set_packing(png);
    return RowKind::indexes;
  }
  if (color == PNG_COLOR_TYPE_GRAY && depth == 16) return RowKind::gray16;
  if (depth == 16) png_set_strip_16(png);
  if (color == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(png);
  if ((color & PNG_COLOR_MASK_COLOR) == 0) png_set_gray_to_rgb(png);
  if ((color & PNG_COLOR_MASK_ALPHA) != 0) png_set_strip_alpha(png);
  return RowKind::rgb;
}

// Owns the libpng object; each setjmp stands in a function without C++ objects to destroy.
class Reader {
 public:
  explicit Reader(const Source& source) : stream_{source} {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &stream_, on_error, on_warning);
    info_ = png_ != nullptr ? png_create_info_struct(png_) : nullptr;
    if (info_ == nullptr) source.fail("PNG", "out of memory");
    png_set_read_fn(png_, &stream_, read_bytes);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { png_destroy_read_struct(&png_, &info_, nullptr); }

  Header read_header() {
    check(try_read_header(&header_));
    return header_;
  }
  void read_rows(png_bytepp rows) { check(try_read_rows(rows)); }
  std::span<const png_color> palette() const {
    png_colorp colors = nullptr;
    int count = 0;
    if (png_get_PLTE(png_, info_, &colors, &count) == 0) return {};
    return {colors, static_cast<std::size_t>(count)};
  }

 private:
  void check(bool done) const {
    if (!done) stream_.source.fail("PNG", stream_.message);
  }

  bool try_read_header(Header* header) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_set_user_limits(png_, 0x7fffffff, 0x7fffffff);
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    png_read_info(png_, info_);
    int depth = 0;
    int color = 0;
    png_get_IHDR(png_, info_, &header->width, &header->height, &depth, &color, nullptr, nullptr, nullptr);
    header->kind = choose_output(png_, depth, color);
    header->passes = png_set_interlace_handling(png_);
    return true;
  }

  bool try_read_rows(png_bytepp rows) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_read_update_info(png_, info_);
    png_read_image(png_, rows);
    return true;
  }

  Stream stream_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  Header header_;
};

std::vector<png_bytep> row_pointers(std::uint8_t* first, std::size_t row_bytes, std::size_t rows) {
  std::vector<png_bytep> pointers(rows);
  for (std::size_t y = 0; y < rows; ++y) pointers[y] = first + y * row_bytes;
  return pointers;
}

// Indexes outside the palette are black, as in Pillow.
void expand_palette(const Buffer<std::uint8_t>& indexes, std::span<const png_color> palette, Picture& picture) {
  std::uint8_t* out = picture.pixels.data();
  for (const std::uint8_t index : indexes) {
    const png_color color = index < palette.size() ? palette[index] : png_color{0, 0, 0};
    *out++ = color.red;
    *out++ = color.green;
    *out++ = color.blue;
  }
}

void clip_gray16(const Buffer<std::uint8_t>& samples, Picture& picture) {
  std::uint8_t* out = picture.pixels.data();
  for (std::size_t i = 0; i < samples.size(); i += 2, out += 3) {
    std::memset(out, samples[i] != 0 ? 255 : samples[i + 1], 3);
  }
}

struct Metadata {
  std::span<const std::uint8_t> exif, xmp;
};

// XMP is an iTXt chunk: keyword, NUL, compression flag and method, language, NUL, translated keyword, NUL, text.
bool is_plain_xmp(std::span<const std::uint8_t> chunk) {
  constexpr char keyword[] = "XML:com.adobe.xmp";
  return chunk.size() > sizeof keyword && std::memcmp(chunk.data(), keyword, sizeof keyword) == 0 &&
         chunk[sizeof keyword] == 0;
}

Metadata find_metadata(const Source& source) {
  Metadata found;
  std::size_t at = 8;
  while (source.size() >= 12 && at <= source.size() - 12) {
    const std::uint8_t* head = source.data() + at;
    const std::size_t length =
        std::size_t{head[0]} << 24 | std::size_t{head[1]} << 16 | std::size_t{head[2]} << 8 | head[3];
    if (length > source.size() - 12 - at) break;
    const std::span<const std::uint8_t> data(head + 8, length);
    if (std::memcmp(head + 4, "eXIf", 4) == 0) found.exif = data;
    if (std::memcmp(head + 4, "iTXt", 4) == 0 && is_plain_xmp(data)) found.xmp = data;
    at += 12 + length;
  }
  return found;
}

}  // namespace

Decoded decode_png(const Source& source) {
  Reader reader(source);
  const Header header = reader.read_header();
  source.check_size("PNG", header.width, header.height);
  const Metadata metadata = find_metadata(source);
  Decoded decoded{make_picture(static_cast<int>(header.width), static_cast<int>(header.height)),
                  orientation_of(metadata.exif, metadata.xmp)};
  Picture& picture = decoded.picture;
  if (header.kind == RowKind::rgb) {
    reader.read_rows(row_pointers(picture.pixels.data(), picture.row_bytes(), header.height).data());
    return decoded;
  }
  const std::size_t row_bytes = std::size_t{header.width} * (header.kind == RowKind::gray16 ? 2 : 1);
  Buffer<std::uint8_t> samples(row_bytes * header.height);
  reader.read_rows(row_pointers(samples.data(), row_bytes, header.height).data());
  if (header.kind == RowKind::indexes) {
    expand_palette(samples, reader.palette(), picture);
  } else {
    clip_gray16(samples, picture);
  }
  return decoded;
}

}  // namespace nunchi::image
