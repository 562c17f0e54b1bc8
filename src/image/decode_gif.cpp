// GIF through giflib: the first frame on its canvas.
#include <gif_lib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include "image/codecs.h"

namespace nunchi::image {
namespace {

struct Stream {
  const Source& source;
  std::size_t position = 0;
};

int read_bytes(GifFileType* file, GifByteType* destination, int count) {
  auto& stream = *static_cast<Stream*>(file->UserData);
  const std::size_t given = std::min(static_cast<std::size_t>(count), stream.source.size() - stream.position);
  std::memcpy(destination, stream.source.data() + stream.position, given);
  stream.position += given;
  return static_cast<int>(given);
}

class Reader {
 public:
  explicit Reader(const Source& source) : stream_{source} {
    int error = 0;
    file_ = DGifOpen(&stream_, read_bytes, &error);
    if (file_ == nullptr) source.fail("GIF", reason(error));
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { DGifCloseFile(file_, nullptr); }

  // Moves to the first frame; remembers the transparent index of the extension before it.
  void find_frame() {
    for (;;) {
      GifRecordType type = UNDEFINED_RECORD_TYPE;
      check(DGifGetRecordType(file_, &type));
      if (type == IMAGE_DESC_RECORD_TYPE) return check(DGifGetImageDesc(file_));
      if (type != EXTENSION_RECORD_TYPE) stream_.source.fail("GIF", "it has no frame");
      read_extension();
    }
  }

  Buffer<std::uint8_t> read_frame() {
    const auto& image = file_->Image;
    Buffer<std::uint8_t> indexes(static_cast<std::size_t>(image.Width) * static_cast<std::size_t>(image.Height));
    struct Pass {
      int first, step;
    };
    constexpr std::array<Pass, 4> interlaced{{{0, 8}, {4, 8}, {2, 4}, {1, 2}}};
    constexpr std::array<Pass, 1> plain{{{0, 1}}};
    const std::span<const Pass> passes =
        image.Interlace ? std::span<const Pass>(interlaced) : std::span<const Pass>(plain);
    for (const Pass& pass : passes) {
      for (int y = pass.first; y < image.Height; y += pass.step) {
        check(DGifGetLine(file_, indexes.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(image.Width),
                          image.Width));
      }
    }
    return indexes;
  }

  const GifFileType& file() const { return *file_; }
  std::uint8_t background() const { return transparent_.value_or(0); }

 private:
  static const char* reason(int error) {
    const char* text = GifErrorString(error);
    return text != nullptr ? text : "unknown reason";
  }

  void check(int result) const {
    if (result != GIF_OK) stream_.source.fail("GIF", reason(file_->Error));
  }

  void read_extension() {
    int code = 0;
    GifByteType* block = nullptr;
    check(DGifGetExtension(file_, &code, &block));
    while (block != nullptr) {
      if (code == GRAPHICS_EXT_FUNC_CODE && block[0] >= 4 && (block[1] & 1) != 0) transparent_ = block[4];
      check(DGifGetExtensionNext(file_, &block));
    }
  }

  Stream stream_;
  GifFileType* file_ = nullptr;
  std::optional<std::uint8_t> transparent_;
};

// Without a colour table the indexes are gray; indexes outside a table are black.
std::array<std::uint8_t, 3> color_of(const ColorMapObject* map, std::uint8_t index) {
  if (map == nullptr) return {index, index, index};
  if (index >= map->ColorCount) return {0, 0, 0};
  const GifColorType& color = map->Colors[index];
  return {color.Red, color.Green, color.Blue};
}

}  // namespace

Decoded decode_gif(const Source& source) {
  Reader reader(source);
  reader.find_frame();
  const auto& frame = reader.file().Image;
  const int width = std::max(reader.file().SWidth, frame.Left + frame.Width);  // a frame may be larger than its canvas
  const int height = std::max(reader.file().SHeight, frame.Top + frame.Height);
  source.check_size("GIF", width, height);
  const ColorMapObject* map = frame.ColorMap != nullptr ? frame.ColorMap : reader.file().SColorMap;
  const Buffer<std::uint8_t> indexes = reader.read_frame();
  Decoded decoded{make_picture(width, height)};
  Picture& picture = decoded.picture;
  const auto background = color_of(map, reader.background());
  for (std::size_t i = 0; i < picture.pixels.size(); ++i) picture.pixels[i] = background[i % 3];
  const std::uint8_t* index = indexes.data();
  for (int y = 0; y < frame.Height; ++y) {
    std::uint8_t* out = picture.row(frame.Top + y) + std::size_t{3} * static_cast<std::size_t>(frame.Left);
    for (int x = 0; x < frame.Width; ++x, out += 3) std::memcpy(out, color_of(map, *index++).data(), 3);
  }
  return decoded;
}

}  // namespace nunchi::image
