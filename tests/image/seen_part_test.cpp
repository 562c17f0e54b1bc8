#include "image/seen_part.h"

#include <gmock/gmock.h>

namespace nunchi::image {
namespace {

void expect_part(const Transform& transform, Size input, const Box& expected) {
  const Box part = seen_part(transform, input);
  EXPECT_FLOAT_EQ(part.left, expected.left);
  EXPECT_FLOAT_EQ(part.top, expected.top);
  EXPECT_FLOAT_EQ(part.right, expected.right);
  EXPECT_FLOAT_EQ(part.bottom, expected.bottom);
}

TEST(SeenPart, OfAnExactResizeIsAll) {
  Transform transform;
  transform.resize = {.mode = ResizeMode::exact, .size = {224, 224}};
  expect_part(transform, {300, 500}, {0, 0, 500, 300});
}

TEST(SeenPart, OfACropIsTheMiddle) {
  Transform transform;
  transform.resize = {.mode = ResizeMode::shortest_edge, .size = {256, 256}};
  transform.crop = CropStep{.size = {224, 224}};
  expect_part(transform, {512, 1024}, {288, 32, 736, 480});  // half the size: 144 and 16 before the crop
}

TEST(SeenPart, OfALargerCropReachesOut) {
  Transform transform;
  transform.crop = CropStep{.size = {100, 100}};
  expect_part(transform, {80, 60}, {-20, -10, 80, 90});
}

}  // namespace
}  // namespace nunchi::image
