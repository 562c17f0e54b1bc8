#include "image/resize_reals.h"

#include <gmock/gmock.h>

#include "core/in_child.h"

namespace nunchi::image {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// 0, 37, 74, ... grey levels modulo 256, scaled as transformers scales them.
Plane ramp(int width, int height) {
  Plane plane{.width = width, .height = height, .values = {}};
  for (int i = 0; i < width * height; ++i)
    plane.values.push_back(static_cast<float>(i * 37 % 256) * static_cast<float>(1 / 255.0));
  return plane;
}

std::vector<float> resized(int from, int to, Filter filter) {
  return resize_reals(ramp(from, 1), to, 1, filter).values;
}

// The numbers are those of torch.nn.functional.interpolate(antialias=True) of PyTorch 2.13, bit for bit.
TEST(ResizeReals, EqualsLibTorchBitForBit) {
  EXPECT_THAT(resized(7, 3, Filter::bilinear), ElementsAre(0x1.fd6b22p-4f, 0x1.bdbdbep-2f, 0x1.7e105ap-1f));
  EXPECT_THAT(resized(23, 4, Filter::bilinear),
              ElementsAre(0x1.85047ap-2f, 0x1.b93d9ap-2f, 0x1.c564cep-2f, 0x1.f74ca4p-2f));
  EXPECT_THAT(resized(3, 5, Filter::bilinear),
              ElementsAre(0.0f, 0x1.db7512p-5f, 0x1.29292ap-3f, 0x1.db7512p-3f, 0x1.29292ap-2f));
  EXPECT_THAT(resized(23, 4, Filter::bicubic),
              ElementsAre(0x1.806c9cp-2f, 0x1.c4410ap-2f, 0x1.cc62bep-2f, 0x1.ec1ce8p-2f));
  EXPECT_THAT(resized(3, 5, Filter::bicubic),
              ElementsAre(-0x1.66d5e4p-7f, 0x1.6bb078p-5f, 0x1.29292ap-3f, 0x1.f76636p-3f, 0x1.345fd8p-2f));
}

TEST(ResizeReals, TreatsColumnsAsRows) {
  EXPECT_EQ(resize_reals(ramp(1, 23), 1, 4, Filter::bilinear).values, resized(23, 4, Filter::bilinear));
}

TEST(ResizeReals, LeavesAPlaneOfItsOwnSize) {
  EXPECT_EQ(resize_reals(ramp(5, 4), 5, 4, Filter::bicubic).values, ramp(5, 4).values);
}

TEST(ResizeReals, RefusesFiltersThatTorchvisionHasNot) {
  EXPECT_THAT(error_of([] { resize_reals(ramp(5, 4), 3, 3, Filter::hamming); }), HasSubstr("bilinear or bicubic"));
}

}  // namespace
}  // namespace nunchi::image
