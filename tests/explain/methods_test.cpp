#include "explain/methods.h"

#include <gmock/gmock.h>

#include "core/in_child.h"
#include "explain/small_models.h"

namespace nunchi::explain {
namespace {

using testing::Contains;
using testing::HasSubstr;

std::vector<std::string> names_of(const std::vector<const Method*>& chosen) {
  std::vector<std::string> names;
  for (const Method* method : chosen) names.emplace_back(method->name);
  return names;
}

// Every method on every family that can have it: a finite map that lies over the picture.
TEST(Methods, AllOfThemOnEveryFamily) {
  for (const char* name :
       {"vit_classifier", "deit_distilled", "dinov2_registers_classifier", "beit_classifier", "timm_eva02",
        "timm_vit_no_class_token", "swin_classifier", "swinv2_classifier", "resnet_bottleneck", "mobilenet_v2"}) {
    const auto model = small_model(name);
    const Subject subject(model, random_pixels(model));
    const auto chosen = methods_named("all", subject);
    EXPECT_EQ(chosen.size(), subject.anatomy().has_attention ? 15U : 12U) << name;
    for (const Method* method : chosen) {
      const auto explanation = explain(*method, subject, {.target = {.answer = 1}, .samples = 6});
      ASSERT_EQ(explanation.map.dim(), 2) << name << ", " << method->name;
      EXPECT_EQ(explanation.map.scalar_type(), at::kFloat);
    }
  }
}

TEST(Methods, AFamilyThatCannotHaveOneSaysWhy) {
  const auto swin = small_model("swin_classifier");
  const Subject subject(swin, random_pixels(swin));
  const auto message = error_of([&] { methods_named("grad-cam,rollout", subject); });
  EXPECT_THAT(message, HasSubstr("--method rollout"));
  EXPECT_THAT(message, HasSubstr("use grad-cam"));
  const auto backbone = small_model("dinov2");
  const Subject headless(backbone, random_pixels(backbone));
  EXPECT_THAT(error_of([&] { methods_named("grad-cam", headless); }), HasSubstr("eigen-cam need none"));
  EXPECT_THAT(names_of(usual_methods(headless)), testing::ElementsAre("attention", "rollout", "eigen-cam"));
}

TEST(Methods, UnknownNamesAreToldTheNearest) {
  const auto model = small_model("vit_classifier");
  const Subject subject(model, random_pixels(model));
  EXPECT_THAT(error_of([&] { methods_named("gradcam", subject); }), HasSubstr("the nearest is grad-cam"));
  EXPECT_THAT(error_of([&] { methods_named("grad-cam,", subject); }), HasSubstr("not known"));
}

TEST(Methods, BlocksAndHeadsOutOfRangeAreRefused) {
  const auto model = small_model("vit_classifier");
  const Subject subject(model, random_pixels(model));
  const Method& attention = method_named("attention", subject);
  EXPECT_THAT(error_of([&] { explain(attention, subject, {.layer = "3"}); }), HasSubstr("0 to 2"));
  EXPECT_THAT(error_of([&] { explain(attention, subject, {.head = 99}); }), HasSubstr("--head 99"));
  EXPECT_EQ(explain(attention, subject, {.layer = "blocks.1"}).layer, "blocks.1.attn");
}

// Contrast: the map of one class before another is not that of the class alone.
TEST(Methods, WhyThisAndNotThat) {
  const auto model = small_model("resnet_basic");
  const Subject subject(model, random_pixels(model));
  const Method& method = method_named("hires-cam", subject);
  const Tensor alone = explain(method, subject, {.target = {.answer = 1}}).map;
  const Tensor before = explain(method, subject, {.target = {.answer = 1, .instead_of = 2}}).map;
  EXPECT_FALSE(alone.equal(before));
}

}  // namespace
}  // namespace nunchi::explain
