#include "image/encode.h"

#include <png.h>

#include <new>

#include "core/assert.h"

namespace nunchi::image {

std::vector<std::byte> encode_png(const Picture& picture) {
  ASSERT(picture.channels == 1 || picture.channels == 3, "a PNG is written from gray or RGB");
  ASSERT(picture.width > 0 && picture.height > 0, "a PNG has pixels");
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(picture.width);
  image.height = static_cast<png_uint_32>(picture.height);
  image.format = picture.channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::vector<std::byte> bytes(size);
  if (png_image_write_to_memory(&image, bytes.data(), &size, 0, picture.pixels.data(), 0, nullptr) == 0) {
    png_image_free(&image);
    throw std::bad_alloc();
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace nunchi::image
