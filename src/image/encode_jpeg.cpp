#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>

#include <jpeglib.h>  // needs <cstdio> before it

#include "core/assert.h"
#include "image/encode.h"

namespace nunchi::image {
namespace {

struct Failure {
  jpeg_error_mgr base;
  std::jmp_buf jump;
};

[[noreturn]] void on_error(j_common_ptr info) { std::longjmp(reinterpret_cast<Failure*>(info->err)->jump, 1); }

// Whatever became of it lies in `bytes`, which the caller frees. Holds nothing that would have to be destroyed, so that
// the jump out of libjpeg is safe.
bool compress(const Picture& picture, int quality, unsigned char** bytes, unsigned long* size) {
  jpeg_compress_struct info;
  Failure failure;
  info.err = jpeg_std_error(&failure.base);
  failure.base.error_exit = on_error;
  jpeg_create_compress(&info);
  if (setjmp(failure.jump) != 0) {
    jpeg_destroy_compress(&info);
    return false;
  }
  jpeg_mem_dest(&info, bytes, size);
  info.image_width = static_cast<JDIMENSION>(picture.width);
  info.image_height = static_cast<JDIMENSION>(picture.height);
  info.input_components = picture.channels;
  info.in_color_space = picture.channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  info.optimize_coding = TRUE;
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = const_cast<JSAMPROW>(picture.row(static_cast<int>(info.next_scanline)));
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  return true;
}

}  // namespace

std::vector<std::byte> encode_jpeg(const Picture& picture, int quality) {
  constexpr int longest = 65500;
  ASSERT(picture.channels == 1 || picture.channels == 3, "a JPEG is written from gray or RGB");
  ASSERT(picture.width > 0 && picture.height > 0, "a JPEG has pixels");
  ASSERT(picture.width <= longest && picture.height <= longest, "a JPEG has at most 65500 pixels a side");
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  const bool done = compress(picture, quality, &bytes, &size);
  const std::unique_ptr<unsigned char, decltype(&std::free)> owner(bytes, &std::free);
  if (!done) throw std::bad_alloc();  // with sizes that were checked, nothing else can fail
  const auto* first = reinterpret_cast<const std::byte*>(bytes);
  return {first, first + size};
}

}  // namespace nunchi::image
