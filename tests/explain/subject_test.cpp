#include "explain/subject.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/zeros_like.h>
#include <gmock/gmock.h>

#include "core/in_child.h"
#include "explain/input_gradient.h"
#include "explain/methods.h"
#include "explain/small_models.h"
#include "nn/initialise.h"
#include "ops/policy.h"

namespace nunchi::explain {
namespace {

using testing::HasSubstr;

constexpr std::array families = {
    "vit_classifier",  "deit_distilled",    "dinov2_registers_classifier", "beit_classifier", "timm_eva02",
    "swin_classifier", "swinv2_classifier", "resnet_bottleneck",           "mobilenet_v2",    "convnext"};

// A step along the gradient changes the score by as much as the gradient says.
TEST(Subject, GradientsAreThoseOfTheAnswer) {
  for (const char* name : families) {
    const auto model = small_model(name);
    const Subject subject(model, random_pixels(model));
    const Target target = {.answer = 1, .instead_of = 0};
    const Tensor gradient = subject.input_gradients(subject.pixels(), target);
    const double size = gradient.norm().item<double>();
    ASSERT_GT(size, 0) << name;
    double nearest = 0;  // a step too long meets the kinks of activations, one too short is lost in rounding
    for (const double share : {3e-4, 3e-5, 1e-5}) {
      const Tensor step = gradient / size * share * subject.pixels().norm();
      const double before = score(subject.logits(subject.pixels() - step), target).item<double>();
      const double after = score(subject.logits(subject.pixels() + step), target).item<double>();
      const double ratio = (after - before) / (2 * (gradient * step).sum().item<double>());
      if (std::abs(ratio - 1) < std::abs(nearest - 1)) nearest = ratio;
    }
    EXPECT_NEAR(nearest, 1, 0.1) << name;
  }
}

TEST(Subject, ALayersGradientIsThatOfTheWholeGraph) {
  for (const char* name : families) {
    const auto model = small_model(name);
    const Subject subject(model, random_pixels(model));
    const auto evidence = subject.at_layer(subject.anatomy().map_layer, {.answer = 1});
    EXPECT_EQ(evidence.activations.sizes(), evidence.gradients.sizes()) << name;
    EXPECT_GT(evidence.gradients.abs().max().item<double>(), 0) << name;
    // What the model gives as it infers, and what its plain network gives, is the same.
    EXPECT_TRUE(at::allclose(evidence.activations, subject.activations(subject.anatomy().map_layer), 1e-3, 1e-4))
        << name;
  }
}

TEST(Subject, TheModelAnswersAsBeforeAndAsFast) {
  const auto model = small_model("vit_classifier");
  const Tensor pixels = random_pixels(model);
  const Tensor before = model.forward(pixels).logits;
  const Subject subject(model, pixels);
  const Asked asked = {.target = {.answer = 2}};
  for (const Method* method : usual_methods(subject)) explain(*method, subject, asked);
  ops::reset_path_counts();
  EXPECT_TRUE(model.forward(pixels).logits.equal(before));
  EXPECT_EQ(ops::path_counts().reference, 0);
  EXPECT_GT(ops::path_counts().fused, 0);
}

TEST(Subject, AttentionHasItsGradients) {
  const auto model = small_model("deit_distilled");
  const Subject subject(model, random_pixels(model));
  const auto evidence = subject.attention({.answer = 1});
  ASSERT_EQ(evidence.weights.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(evidence.weights[i].sizes(), evidence.gradients[i].sizes());
    EXPECT_TRUE(at::allclose(evidence.weights[i].sum(-1), at::ones_like(evidence.weights[i].sum(-1))));
    EXPECT_GT(evidence.gradients[i].abs().max().item<double>(), 0);
  }
}

TEST(Subject, AnotherNetworkIsAskedInTheModelsPlace) {
  const auto model = small_model("resnet_basic");
  const Subject subject(model, random_pixels(model));
  const auto random = model.network_of_shapes();
  random->initialise(at::detail::createCPUGenerator(3));
  const Subject other = subject.seen_by(*random);
  EXPECT_FALSE(at::allclose(other.logits(), subject.logits()));
  EXPECT_EQ(other.activations("layer1.0").sizes(), subject.activations("layer1.0").sizes());
}

TEST(Subject, ALayerWithoutPlacesIsRefused) {
  const auto model = small_model("vit_classifier");
  const Subject subject(model, random_pixels(model));
  EXPECT_THAT(error_of([&] { subject.activations("head"); }), HasSubstr("places in the picture"));
}

// Sundararajan et al. 2017, proposition 1.
TEST(InputGradient, IntegratedGradientsSumToWhatTheScoreGained) {
  for (const char* name : {"vit_classifier", "convnext"}) {
    const auto model = small_model(name);
    const Subject subject(model, 0.5 * random_pixels(model));
    const Target target = {.answer = 1};
    const double gained =
        (score(subject.logits(), target) - score(subject.logits(at::zeros_like(subject.pixels())), target))
            .item<double>();
    const double sum = integrated_gradients(subject, target, 64).sum().item<double>();
    EXPECT_NEAR(sum, gained, 0.02 * std::max(std::abs(gained), 0.1)) << name;
  }
}

TEST(InputGradient, GaussAndLegendreIntegratePolynomialsOfTwiceTheirOrder) {
  for (const std::int64_t order : {1, 2, 5, 50}) {
    const auto q = gauss_legendre(order);
    for (std::int64_t power = 0; power < std::min<std::int64_t>(2 * order, 30); ++power) {
      double sum = 0;
      for (std::size_t i = 0; i < q.points.size(); ++i)
        sum += q.weights[i] * std::pow(q.points[i], static_cast<double>(power));
      EXPECT_NEAR(sum, 1 / static_cast<double>(power + 1), 1e-12) << order << ", " << power;
    }
  }
}

}  // namespace
}  // namespace nunchi::explain
