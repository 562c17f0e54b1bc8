#include "explain/cam.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include "explain/small_models.h"

namespace nunchi::explain {
namespace {

// A network whose head reads the mean of the map: its gradient is the head's weight, everywhere.
LayerEvidence of_mean(const Tensor& activations, const Tensor& weights) {
  const auto places = activations.size(1) * activations.size(2);
  return {.activations = activations,
          .gradients = (weights.view({-1, 1, 1}) / static_cast<double>(places)).expand_as(activations)};
}

TEST(Cam, OfALinearHeadIsTheFirstPapersMap) {
  const Tensor activations = at::rand({5, 3, 4}), weights = at::randn({5});
  const auto evidence = of_mean(activations, weights);
  const Tensor expected = at::relu((weights.view({-1, 1, 1}) * activations).sum(0)) / 12;
  EXPECT_TRUE(at::allclose(class_activation_map(Cam::grad, evidence), expected));
  EXPECT_TRUE(at::allclose(class_activation_map(Cam::hires, evidence), expected));
  const Tensor positive = at::relu((at::relu(weights).view({-1, 1, 1}) * activations).sum(0)) / 12;
  EXPECT_TRUE(at::allclose(class_activation_map(Cam::layer, evidence), positive));
}

TEST(Cam, GradCamMeansTheGradientAndHiResDoesNot) {
  const Tensor activations = at::tensor({1.0F, 0.0F, 0.0F, 1.0F}).view({1, 2, 2});
  const Tensor gradients = at::tensor({4.0F, 0.0F, 0.0F, 0.0F}).view({1, 2, 2});
  const LayerEvidence evidence = {.activations = activations, .gradients = gradients};
  EXPECT_TRUE(class_activation_map(Cam::grad, evidence).equal(activations[0]));
  EXPECT_TRUE(class_activation_map(Cam::hires, evidence).equal(gradients[0]));
}

TEST(Cam, PlusPlusGivesEqualObjectsEqualWeight) {
  // Two channels that see one object each, of different size; equal gradients. Grad-CAM's mean favours the larger.
  Tensor activations = at::zeros({2, 4, 4}), gradients = at::zeros({2, 4, 4});
  activations[0].slice(0, 0, 2).fill_(1);
  activations[1][3][3] = 1;
  gradients.copy_(activations);
  const LayerEvidence evidence = {.activations = activations, .gradients = gradients};
  const Tensor plain = class_activation_map(Cam::grad, evidence);
  EXPECT_FLOAT_EQ(plain[0][0].item<float>() / plain[3][3].item<float>(), 8);
  const Tensor better = class_activation_map(Cam::grad_plus_plus, evidence);
  // alpha = 1 / (2 + sum of activations): 8 / 10 against 1 / 3
  EXPECT_NEAR(better[0][0].item<double>(), 0.8, 1e-5);
  EXPECT_NEAR(better[3][3].item<double>(), 1.0 / 3, 1e-5);
}

TEST(Cam, WithoutEvidenceThereIsAMapOfZeros) {
  const LayerEvidence nothing = {.activations = at::rand({4, 2, 2}), .gradients = at::zeros({4, 2, 2})};
  for (const Cam kind : {Cam::grad, Cam::grad_plus_plus, Cam::hires, Cam::layer})
    EXPECT_TRUE(class_activation_map(kind, nothing).equal(at::zeros({2, 2})));
}

TEST(EigenCam, FindsTheDirectionOfMostVariance) {
  const Tensor bright = at::tensor({0.0F, 0.0F, 0.0F, 9.0F}).view({2, 2});
  for (const std::int64_t channels : {3, 12}) {  // fewer and more than places
    const Tensor direction = at::randn({channels, 1, 1});
    const Tensor map = eigen_cam(bright * direction + 0.001 * at::rand({channels, 2, 2}));
    EXPECT_EQ(map.argmax().item<std::int64_t>(), 3) << channels;
    EXPECT_LT(map[0][0].item<double>(), 0.01 * map[1][1].item<double>());
  }
}

TEST(ScoreCam, WeighsByTheAnswerToThePictureSeenThroughAChannel) {
  const auto model = small_model("resnet_basic");
  const Subject subject(model, random_pixels(model));
  const auto& layer = subject.anatomy().map_layer;
  const Tensor map = score_cam(subject, layer, {.answer = 1}, {.batch = 3});
  EXPECT_EQ(map.sizes(), subject.activations(layer)[0].sizes());
  EXPECT_GE(map.min().item<double>(), 0);
  // Weights sum to one: the map lies within what the channels have.
  EXPECT_LE(map.max().item<double>(), subject.activations(layer).max().item<double>());
  EXPECT_TRUE(at::allclose(map, score_cam(subject, layer, {.answer = 1}, {.batch = 7}), 1e-4, 1e-6));
}

}  // namespace
}  // namespace nunchi::explain
