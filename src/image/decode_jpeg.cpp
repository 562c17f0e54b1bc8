// JPEG through libjpeg-turbo with the settings Pillow leaves at their defaults: accurate integer DCT, fancy upsampling.
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <string>

#include <jpeglib.h>  // needs <cstdio> before it

#include <jerror.h>

#include "image/codecs.h"
#include "image/exif.h"

namespace nunchi::image {
namespace {

constexpr int max_scans = 500;  // a progressive file of a few kilobytes can ask for hours of work

struct Failure {
  jpeg_error_mgr base;
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void on_error(j_common_ptr info) {
  auto* failure = reinterpret_cast<Failure*>(info->err);
  failure->base.format_message(info, failure->message);
  std::longjmp(failure->jump, 1);
}

// Warnings that mean lost pixels are errors; the others (odd markers, stray bytes) leave the picture whole.
void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  switch (info->err->msg_code) {
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_JPEG_EOF:
    case JWRN_MUST_RESYNC:
    case JWRN_ARITH_BAD_CODE:
      on_error(info);
    default:
      return;
  }
}

void on_progress(j_common_ptr info) {
  auto* decompress = reinterpret_cast<j_decompress_ptr>(info);
  if (info->is_decompressor && decompress->input_scan_number > max_scans) {
    std::snprintf(reinterpret_cast<Failure*>(info->err)->message, JMSG_LENGTH_MAX, "more than %d scans", max_scans);
    std::longjmp(reinterpret_cast<Failure*>(info->err)->jump, 1);
  }
}

// Owns the libjpeg object. Every call into libjpeg stands in a function of its own beside its setjmp, in which no C++
// object has to be destroyed.
class Reader {
 public:
  explicit Reader(const Source& source) : source_(source) {
    info_.err = jpeg_std_error(&failure_.base);
    failure_.base.error_exit = on_error;
    failure_.base.emit_message = on_message;
    progress_.progress_monitor = on_progress;
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { jpeg_destroy_decompress(&info_); }

  void read_header() { check(try_read_header()); }
  void read_rows(Picture& picture, std::uint8_t* cmyk_row) { check(try_read_rows(&picture, cmyk_row)); }
  const jpeg_decompress_struct& info() const { return info_; }
  bool four_inks() const { return info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK; }

 private:
  void check(bool done) const {
    if (!done) source_.fail("JPEG", failure_.message);
  }

  bool try_read_header() {
    if (setjmp(failure_.jump) != 0) return false;
    jpeg_create_decompress(&info_);
    info_.progress = &progress_;
    jpeg_mem_src(&info_, source_.data(), source_.size());
    jpeg_save_markers(&info_, JPEG_APP0 + 1, 0xffff);
    jpeg_read_header(&info_, TRUE);
    return true;
  }

  bool try_read_rows(Picture* picture, std::uint8_t* cmyk_row) {
    if (setjmp(failure_.jump) != 0) return false;
    info_.out_color_space = cmyk_row != nullptr ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&info_);
    while (info_.output_scanline < info_.output_height) {
      if (cmyk_row != nullptr) {
        read_cmyk_row(picture->row(static_cast<int>(info_.output_scanline)), cmyk_row);
      } else {
        read_rgb_rows(picture);
      }
    }
    jpeg_finish_decompress(&info_);
    return true;
  }

  void read_rgb_rows(Picture* picture) {
    constexpr JDIMENSION most = 16;
    JSAMPROW rows[most];
    const JDIMENSION first = info_.output_scanline;
    JDIMENSION count = 0;
    for (; count < most && first + count < info_.output_height; ++count) {
      rows[count] = picture->row(static_cast<int>(first + count));
    }
    jpeg_read_scanlines(&info_, rows, count);
  }

  // Adobe stores inks inverted (255 = none), and Pillow assumes so of every CMYK JPEG.
  void read_cmyk_row(std::uint8_t* rgb, std::uint8_t* cmyk_row) {
    jpeg_read_scanlines(&info_, &cmyk_row, 1);
    for (JDIMENSION x = 0; x < info_.output_width; ++x, rgb += 3) {
      std::uint8_t inks[4];
      for (int i = 0; i < 4; ++i)
        inks[i] = static_cast<std::uint8_t>(255 - cmyk_row[4 * x + static_cast<JDIMENSION>(i)]);
      cmyk_to_rgb(inks, rgb);
    }
  }

  const Source& source_;
  jpeg_decompress_struct info_{};
  jpeg_progress_mgr progress_{};
  Failure failure_{};
};

int orientation_in(const jpeg_decompress_struct& info) {
  constexpr char exif_start[] = "Exif\0";
  constexpr char xmp_start[] = "http://ns.adobe.com/xap/1.0/";
  std::span<const std::uint8_t> exif;
  std::span<const std::uint8_t> xmp;
  for (auto* marker = info.marker_list; marker != nullptr; marker = marker->next) {
    const std::span<const std::uint8_t> data(marker->data, marker->data_length);
    if (exif.empty() && data.size() >= 6 && std::memcmp(data.data(), exif_start, 6) == 0) exif = data;
    if (xmp.empty() && data.size() >= sizeof xmp_start && std::memcmp(data.data(), xmp_start, sizeof xmp_start) == 0) {
      xmp = data;
    }
  }
  return orientation_of(exif, xmp);
}

}  // namespace

Decoded decode_jpeg(const Source& source) {
  Reader reader(source);
  reader.read_header();
  const auto& info = reader.info();
  source.check_size("JPEG", info.image_width, info.image_height);
  if (info.num_components == 2) source.fail("JPEG", "two components");
  Decoded decoded{make_picture(static_cast<int>(info.image_width), static_cast<int>(info.image_height)),
                  orientation_in(info)};
  Buffer<std::uint8_t> cmyk_row(reader.four_inks() ? std::size_t{4} * info.image_width : 0);
  reader.read_rows(decoded.picture, cmyk_row.empty() ? nullptr : cmyk_row.data());
  return decoded;
}

}  // namespace nunchi::image
