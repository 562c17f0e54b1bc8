#include "explain/upsample.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace nunchi::explain {
namespace {

// Black up to a column, white from there.
image::Picture two_halves(int width, int height, int edge, int channels = 3) {
  auto picture = image::make_picture(width, height, channels);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      std::fill_n(picture.row(y) + x * channels, channels, x < edge ? std::uint8_t{0} : std::uint8_t{255});
  return picture;
}

// The patches are 16 pixels wide; the picture's edge lies in the middle of one, where bilinear would be far off.
TEST(Upsample, EdgesAreWhereThePictureHasThem) {
  for (const int channels : {1, 3}) {
    Tensor map = at::zeros({1, 4, 4});
    map.slice(2, 2) = 1;
    const auto picture = two_halves(64, 64, 36, channels);
    const Tensor fine = joint_bilateral_upsample(map, picture);
    ASSERT_EQ(fine.sizes(), (Shape{1, 64, 64}));
    EXPECT_LT(fine.slice(2, 0, 36).max().item<float>(), 0.05);
    EXPECT_GT(fine.slice(2, 36).min().item<float>(), 0.95);
  }
}

TEST(Upsample, WithoutEdgesItIsSmooth) {
  Tensor map = at::zeros({1, 1, 4});
  map[0][0][3].fill_(1);
  const Tensor line = joint_bilateral_upsample(map, two_halves(64, 1, 0))[0][0];
  const Tensor steps = line.slice(0, 1) - line.slice(0, 0, 63);
  EXPECT_GE(steps.min().item<float>(), -1e-6);
  EXPECT_LT(steps.max().item<float>(), 0.1);
}

TEST(Upsample, EveryValueIsAMeanOfThoseGiven) {
  const Tensor map = at::rand({5, 7, 3});
  const auto picture = two_halves(50, 41, 17);
  const Tensor fine = joint_bilateral_upsample(map, picture);
  ASSERT_EQ(fine.sizes(), (Shape{5, 41, 50}));
  EXPECT_GE(fine.min().item<float>(), map.min().item<float>());
  EXPECT_LE(fine.max().item<float>(), map.max().item<float>());
  EXPECT_TRUE(at::allclose(joint_bilateral_upsample(at::full({1, 7, 3}, 0.25), picture), at::full({1, 41, 50}, 0.25)));
}

// More patches than pixels.
TEST(Upsample, ASmallPictureIsNoDanger) {
  EXPECT_TRUE(joint_bilateral_upsample(at::rand({1, 9, 9}), two_halves(3, 2, 1)).isfinite().all().item<bool>());
}

}  // namespace
}  // namespace nunchi::explain
