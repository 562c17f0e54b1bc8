#include "image/decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "core/error.h"
#include "core/file.h"
#include "image/codecs.h"
#include "image/exif.h"

namespace nunchi::image {
namespace {

constexpr std::uint64_t max_file_bytes = std::uint64_t{2} << 30;
constexpr std::string_view known_formats = "JPEG, PNG, WebP, TIFF, BMP, PBM/PGM/PPM, GIF";

using Decoder = Decoded (*)(const Source&);

bool has_at(std::string_view head, std::size_t offset, std::string_view text) {
  return head.size() >= offset + text.size() && head.substr(offset, text.size()) == text;
}

bool is_webp(std::string_view head) { return head.starts_with("RIFF") && has_at(head, 8, "WEBP"); }

bool is_tiff(std::string_view head) {
  constexpr std::array<std::string_view, 4> magics{{{"II*\0", 4}, {"MM\0*", 4}, {"II+\0", 4}, {"MM\0+", 4}}};
  return std::any_of(magics.begin(), magics.end(), [&](std::string_view magic) { return head.starts_with(magic); });
}

bool is_pnm(std::string_view head) {
  return head.size() > 2 && head[0] == 'P' && head[1] >= '1' && head[1] <= '6' &&
         std::isspace(static_cast<unsigned char>(head[2]));
}

Decoder decoder_for(std::string_view head) {
  if (head.starts_with("\xff\xd8\xff")) return decode_jpeg;
  if (head.starts_with("\x89PNG\r\n\x1a\n")) return decode_png;
  if (is_webp(head)) return decode_webp;
  if (is_tiff(head)) return decode_tiff;
  if (head.starts_with("BM")) return decode_bmp;
  if (is_pnm(head)) return decode_pnm;
  if (head.starts_with("GIF87a") || head.starts_with("GIF89a")) return decode_gif;
  return nullptr;
}

// What a file without a decoder seems to be, in words.
std::string describe_head(std::string_view head) {
  if (head.find_first_not_of('\0') == std::string_view::npos) return "zeros";
  if (has_at(head, 4, "ftyp")) return "an ISO media file (HEIC, AVIF or MP4)";
  if (head.starts_with("%PDF")) return "a PDF";
  if (head.starts_with("<")) return "markup text (HTML or SVG)";
  std::string bytes;
  for (const char c : head.substr(0, 8)) bytes += fmt::format("{:02x} ", static_cast<unsigned char>(c));
  return fmt::format("the bytes {}", bytes.substr(0, bytes.size() - 1));
}

}  // namespace

void Source::fail(std::string_view format, std::string_view reason) const {
  throw Error(ErrorKind::input, fmt::format("{}: expected a complete {}, found a broken one ({}); "
                                            "copy or download the file again",
                                            name, format, reason));
}

void Source::check_size(std::string_view format, std::int64_t width, std::int64_t height) const {
  if (width <= 0 || height <= 0 || width > INT32_MAX / 8 || height > INT32_MAX / 8) {
    fail(format, fmt::format("its size is {} x {}", width, height));
  }
  if (width * height <= max_pixels) return;
  throw Error(ErrorKind::input,
              fmt::format("{}: expected at most {} pixels, found {} x {} = {}; make it smaller or raise the limit",
                          name, max_pixels, width, height, width * height));
}

Picture decode(std::span<const std::byte> bytes, const std::string& name, const DecodeOptions& options) {
  if (bytes.empty()) {
    throw Error(ErrorKind::input, fmt::format("{}: expected a picture ({}), found an empty file", name, known_formats));
  }
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()), std::min<std::size_t>(bytes.size(), 32));
  const Decoder decoder = decoder_for(head);
  if (decoder == nullptr) {
    throw Error(ErrorKind::input, fmt::format("{}: expected a picture ({}), found {} bytes that begin with {}", name,
                                              known_formats, bytes.size(), describe_head(head)));
  }
  Decoded decoded = decoder(Source{bytes, name, options.max_pixels});
  if (options.apply_exif_orientation) apply_orientation(decoded.picture, decoded.orientation);
  return std::move(decoded.picture);
}

Picture read_picture(const std::filesystem::path& path, const DecodeOptions& options) {
  const std::string text = read_file(path, max_file_bytes, ErrorKind::input);
  return decode(std::as_bytes(std::span(text)), path.string(), options);
}

bool looks_like_picture(const std::filesystem::path& path) {
  constexpr std::array<std::string_view, 14> extensions{".jpg",  ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif",
                                                        ".tiff", ".bmp",  ".pbm", ".pgm",  ".ppm", ".pnm",  ".gif"};
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::find(extensions.begin(), extensions.end(), extension) != extensions.end();
}

}  // namespace nunchi::image
