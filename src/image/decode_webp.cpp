// WebP through libwebp; of an animation the first frame on its canvas.
#include <webp/decode.h>
#include <webp/demux.h>

#include <cstring>
#include <memory>

#include "image/codecs.h"
#include "image/exif.h"

namespace nunchi::image {
namespace {

struct Metadata {
  std::span<const std::uint8_t> exif, xmp;
};

// The RIFF container: "RIFF" size "WEBP", then chunks of tag, little-endian size, data padded to even length.
Metadata find_metadata(const Source& source) {
  Metadata found;
  std::size_t at = 12;
  while (source.size() >= 8 && at <= source.size() - 8) {
    const std::uint8_t* head = source.data() + at;
    const std::size_t length =
        std::size_t{head[4]} | std::size_t{head[5]} << 8 | std::size_t{head[6]} << 16 | std::size_t{head[7]} << 24;
    if (length > source.size() - 8 - at) break;
    const std::span<const std::uint8_t> data(head + 8, length);
    if (std::memcmp(head, "EXIF", 4) == 0) found.exif = data;
    if (std::memcmp(head, "XMP ", 4) == 0) found.xmp = data;
    at += 8 + length + length % 2;
  }
  return found;
}

void decode_first_frame(const Source& source, Picture& picture) {
  WebPAnimDecoderOptions options;
  WebPAnimDecoderOptionsInit(&options);
  const WebPData data{source.data(), source.size()};
  const std::unique_ptr<WebPAnimDecoder, void (*)(WebPAnimDecoder*)> decoder(WebPAnimDecoderNew(&data, &options),
                                                                             WebPAnimDecoderDelete);
  std::uint8_t* rgba = nullptr;
  int timestamp = 0;
  if (!decoder || WebPAnimDecoderGetNext(decoder.get(), &rgba, &timestamp) == 0) {
    source.fail("WebP", "its first frame cannot be decoded");
  }
  std::uint8_t* out = picture.pixels.data();
  for (std::size_t i = 0; i < picture.pixels.size(); i += 3, out += 3, rgba += 4) std::memcpy(out, rgba, 3);
}

}  // namespace

Decoded decode_webp(const Source& source) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(source.data(), source.size(), &features) != VP8_STATUS_OK) source.fail("WebP", "its header");
  source.check_size("WebP", features.width, features.height);
  const Metadata metadata = find_metadata(source);
  Decoded decoded{make_picture(features.width, features.height), orientation_of(metadata.exif, metadata.xmp)};
  Picture& picture = decoded.picture;
  if (features.has_animation != 0) {
    decode_first_frame(source, picture);
  } else if (WebPDecodeRGBInto(source.data(), source.size(), picture.pixels.data(), picture.pixels.size(),
                               static_cast<int>(picture.row_bytes())) == nullptr) {
    source.fail("WebP", "its pixels cannot be decoded");
  }
  return decoded;
}

}  // namespace nunchi::image
