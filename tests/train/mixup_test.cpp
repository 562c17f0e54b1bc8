#include "train/mixup.h"

#include <ATen/ops/arange.h>

#include "ops/compare.h"

namespace nunchi::train {
namespace {

struct Sample {
  Tensor images = random({6, 3, 8, 10}, 1);
  Tensor labels = at::arange(6, at::kLong);
};

TEST(Mixup, BlendsPicturesAndTargetsAlike) {
  const Sample s;
  const Tensor before = s.images.clone();
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    data::Random random_source(seed, 0, 0);
    const auto [images, targets] = mix(s.images, s.labels, 10, {.mixup_alpha = 0.8}, random_source);
    const double share = targets[0][0].item<double>();
    EXPECT_GE(share, 0);
    EXPECT_LE(share, 1);
    EXPECT_NEAR(targets[0][5].item<double>(), 1 - share, 1e-6);
    EXPECT_LT(difference(images, s.images * share + s.images.flip(0) * (1 - share)), 1e-6);
    EXPECT_LT(difference(targets.sum(1), at::arange(6, at::kFloat) * 0 + 1), 1e-6);
  }
  EXPECT_TRUE(same(s.images, before));
}

TEST(Mixup, PastesABoxAndCountsItsPixels) {
  const Sample s;
  double smallest = 1, largest = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    data::Random random_source(seed, 0, 0);
    const auto [images, targets] = mix(s.images, s.labels, 10, {.cutmix_alpha = 1}, random_source);
    const Tensor own = (images == s.images).all(1), other = (images == s.images.flip(0)).all(1);  // [b, h, w]
    EXPECT_TRUE((own | other).all().item<bool>());
    EXPECT_NEAR(targets[1][1].item<double>(), own[1].to(at::kFloat).mean().item<double>(), 1e-6);
    smallest = std::min(smallest, targets[1][1].item<double>());
    largest = std::max(largest, targets[1][1].item<double>());
  }
  EXPECT_LT(smallest, 0.45);  // a box of whole pixels on both sides of its centre leaves two fifths of 8 x 10
  EXPECT_GT(largest, 0.7);
}

TEST(Mixup, LeavesABatchAlone) {
  const Sample s;
  data::Random random_source(1, 0, 0);
  for (const MixupOptions& options : {MixupOptions{}, {.mixup_alpha = 1, .cutmix_alpha = 1, .probability = 0}}) {
    const auto [images, targets] = mix(s.images, s.labels, 10, options, random_source);
    EXPECT_TRUE(same(images, s.images));
    EXPECT_TRUE(same(targets.argmax(1), s.labels));
    EXPECT_EQ(targets.sum().item<double>(), 6);
  }
}

TEST(Mixup, SwitchesBetweenBoth) {
  const Sample s;
  int boxes = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    data::Random random_source(seed, 0, 0);
    const auto mixed = mix(s.images, s.labels, 10, {.mixup_alpha = 1, .cutmix_alpha = 1}, random_source);
    boxes += (mixed.images == s.images).any().item<bool>();
  }
  EXPECT_GT(boxes, 25);
  EXPECT_LT(boxes, 75);
}

}  // namespace
}  // namespace nunchi::train
