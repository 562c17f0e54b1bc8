#include "explain/faithfulness.h"

#include <ATen/ops/rand.h>
#include <ATen/ops/randperm.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <gmock/gmock.h>

#include "explain/methods.h"
#include "explain/perturbation.h"
#include "explain/small_models.h"

namespace nunchi::explain {
namespace {

TEST(RankCorrelation, OfTheSameOppositeAndUnrelatedMaps) {
  const Tensor map = at::rand({7, 7});
  EXPECT_NEAR(rank_correlation(map, map.exp()).value(), 1, 1e-12) << "order is all that counts";
  EXPECT_NEAR(rank_correlation(map, -map).value(), -1, 1e-12);
  EXPECT_FALSE(rank_correlation(map, at::zeros({7, 7})));
  // By hand: ranks {0, 1.5, 1.5, 3} and {1, 0, 3, 2}.
  EXPECT_NEAR(rank_correlation(at::tensor({1.0F, 2.0F, 2.0F, 3.0F}), at::tensor({2.0F, 1.0F, 4.0F, 3.0F})).value(),
              1.5 / std::sqrt(4.5 * 5), 1e-12);
}

TEST(PointingGame, HitsInAndBesideABox) {
  Tensor map = at::zeros({4, 4});
  map[1][2] = 1;  // of 40 x 40 pixels: around (25, 15)
  EXPECT_TRUE(hits(map, {40, 40}, {{.left = 20, .top = 10, .right = 30, .bottom = 20}}, 0));
  EXPECT_FALSE(hits(map, {40, 40}, {{.left = 0, .top = 0, .right = 10, .bottom = 10}}, 8));
  EXPECT_TRUE(hits(map, {40, 40}, {{.left = 0, .top = 0, .right = 10, .bottom = 15}}, 16));
  EXPECT_DOUBLE_EQ(chance_of_hit({40, 40}, {{.left = 20, .top = 10, .right = 30, .bottom = 20}}, 0), 100.0 / 1600);
  EXPECT_DOUBLE_EQ(chance_of_hit({40, 40}, {{.left = -9, .top = -9, .right = 9, .bottom = 99}}, 1), 400.0 / 1600);
  EXPECT_DOUBLE_EQ(chance_of_hit({40, 40}, {}), 0);
}

TEST(Curves, BeginAndEndWithTheSamePictures) {
  const auto model = small_model("vit_classifier");
  const Subject subject(model, random_pixels(model));
  const Target target = {.answer = subject.logits().argmax(1).item<std::int64_t>()};
  const auto probability = [&](const Tensor& pixels) {
    return at::softmax(subject.logits(pixels), 1)[0][target.answer].item<double>();
  };
  const Tensor map = at::rand({6, 6});
  const auto deletion = deletion_curve(subject, target, map, 9, {.batch = 4});
  const auto insertion = insertion_curve(subject, target, map, 9);
  ASSERT_EQ(deletion.probabilities.size(), 10U);
  EXPECT_NEAR(deletion.probabilities.front(), probability(subject.pixels()), 1e-5);
  EXPECT_NEAR(deletion.probabilities.back(), probability(at::zeros_like(subject.pixels())), 1e-5);
  EXPECT_NEAR(insertion.probabilities.back(), probability(subject.pixels()), 1e-5);
  double area = 0;
  for (std::size_t i = 0; i + 1 < 10; ++i) area += (deletion.probabilities[i] + deletion.probabilities[i + 1]) / 18;
  EXPECT_NEAR(deletion.area, area, 1e-9);
}

// What occlusion finds important is missed more than what it does not.
TEST(Curves, TellAMapFromItsOpposite) {
  const auto model = small_model("convnext");
  const Subject subject(model, random_pixels(model));
  const Target target = {.answer = subject.logits().argmax(1).item<std::int64_t>()};
  const Tensor map = occlusion(subject, target, {.window = 32, .stride = 32});
  EXPECT_LT(deletion_curve(subject, target, map, 16).area, deletion_curve(subject, target, -map, 16).area);
}

TEST(Occlusion, EachSquareLosesWhatItHides) {
  const auto model = small_model("vit_classifier");
  const Subject subject(model, random_pixels(model));
  const Target target = {.answer = 1};
  const Tensor map = occlusion(subject, target, {.window = 16, .stride = 16});
  Tensor hidden = subject.pixels().clone();
  hidden.slice(2, 16, 32).slice(3, 0, 16).zero_();
  const double lost = (score(subject.logits(), target) - score(subject.logits(hidden), target)).item<double>();
  EXPECT_NEAR(map[20][5].item<double>(), lost, 1e-4);
  EXPECT_EQ(map.sizes(), (Shape{48, 48}));
}

TEST(Rise, IsTheSameForASeedAndAsLargeAsTheAnswer) {
  const auto model = small_model("resnet_basic");
  const Subject subject(model, random_pixels(model));
  const Target target = {.answer = 0};
  const RiseOptions options = {.masks = 40, .cells = 4};
  const Tensor map = rise(subject, target, options, {.seed = 7});
  EXPECT_TRUE(map.equal(rise(subject, target, options, {.seed = 7})));
  EXPECT_FALSE(map.equal(rise(subject, target, options, {.seed = 8})));
  EXPECT_GE(map.min().item<double>(), 0);
  EXPECT_LE(map.max().item<double>(), 2);  // probabilities, divided by the share kept
}

}  // namespace
}  // namespace nunchi::explain
