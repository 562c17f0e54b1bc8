#include "image/encode.h"

#include <gmock/gmock.h>

#include <cmath>

#include "core/error.h"
#include "image/decode.h"

namespace nunchi::image {
namespace {

// Smooth, so that a JPEG can keep it nearly.
Picture waves(int width, int height, int channels) {
  auto picture = make_picture(width, height, channels);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width * channels; ++x)
      picture.row(y)[x] = static_cast<std::uint8_t>(128 + 100 * std::sin(0.05 * y + 0.02 * x));
  }
  return picture;
}

TEST(EncodeJpeg, DecodesToNearlyTheSame) {
  for (const int channels : {1, 3}) {
    const auto picture = waves(61, 43, channels);
    const auto decoded = decode(encode_jpeg(picture, 95), "waves");
    ASSERT_EQ(decoded.width, 61);
    ASSERT_EQ(decoded.height, 43);
    double difference = 0;
    for (int y = 0; y < 43; ++y) {
      for (int x = 0; x < 61; ++x) {
        const int expected = picture.row(y)[x * channels], found = decoded.row(y)[x * decoded.channels];
        difference = std::max(difference, std::abs(static_cast<double>(expected - found)));
      }
    }
    EXPECT_LT(difference, channels == 1 ? 6 : 24);  // colour is kept at half the resolution
  }
}

TEST(EncodeJpeg, QualityCostsBytes) {
  const auto picture = waves(200, 200, 3);
  EXPECT_LT(encode_jpeg(picture, 30).size(), encode_jpeg(picture, 95).size());
}

TEST(EncodeJpeg, RefusesWhatIsNoPicture) {
  EXPECT_THROW(encode_jpeg({}), Error);
  EXPECT_THROW(encode_jpeg(make_picture(66'000, 1)), Error);
}

TEST(EncodePng, DecodesToTheSame) {
  const auto picture = waves(31, 17, 3);
  EXPECT_EQ(decode(encode_png(picture), "waves").pixels, picture.pixels);
}

}  // namespace
}  // namespace nunchi::image
