#include "core/assert.h"
#include "core/error.h"
#include "fuzz/targets.h"
#include "image/decode.h"
#include "image/exif.h"

namespace nunchi::fuzz {

void image(std::span<const std::byte> bytes) {
  constexpr std::int64_t most_pixels = 1 << 18;
  const std::span<const std::uint8_t> block(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  static_cast<void>(image::orientation_of(block, block));
  try {
    const auto picture = image::decode(bytes, "fuzz", {.max_pixels = most_pixels});
    ASSERT(picture.width > 0 && picture.height > 0, "a decoded picture has pixels");
    ASSERT(std::int64_t{picture.width} * picture.height <= most_pixels, "the limit of pixels is kept");
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
  }
}

}  // namespace nunchi::fuzz
