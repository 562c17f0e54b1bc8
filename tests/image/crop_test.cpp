#include "image/crop.h"

#include <gmock/gmock.h>

#include "core/error.h"

namespace nunchi::image {
namespace {

// Each byte says where it is.
Picture numbered(int width, int height, int channels) {
  auto picture = make_picture(width, height, channels);
  for (std::size_t i = 0; i < picture.pixels.size(); ++i) picture.pixels[i] = static_cast<std::uint8_t>(i);
  return picture;
}

TEST(Crop, TakesThePart) {
  for (const int channels : {1, 3}) {
    const auto picture = numbered(6, 5, channels);
    const auto part = crop(picture, {2, 1, 3, 4});
    EXPECT_EQ(part.width, 3);
    EXPECT_EQ(part.height, 4);
    EXPECT_EQ(part.channels, channels);
    for (int y = 0; y < 4; ++y)
      for (int x = 0; x < 3 * channels; ++x) EXPECT_EQ(part.row(y)[x], picture.row(y + 1)[x + 2 * channels]);
  }
}

TEST(Crop, RefusesWhatLiesOutside) {
  const auto picture = numbered(6, 5, 3);
  EXPECT_NO_THROW(crop(picture, {0, 0, 6, 5}));
  constexpr int huge = 2147483647;
  for (const Window& window : {Window{1, 0, 6, 5}, Window{0, 1, 6, 5}, Window{-1, 0, 2, 2}, Window{0, 0, 0, 1},
                               Window{huge, 0, huge, 1}, Window{0, huge, 1, huge}})
    EXPECT_THROW(crop(picture, window), Error);
}

}  // namespace
}  // namespace nunchi::image
