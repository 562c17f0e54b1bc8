// Explaining a model that lies on a device other than the CPU, as far as that can be seen without a GPU.
#include <ATen/Parallel.h>
#include <gmock/gmock.h>

#include "core/in_child.h"
#include "explain/depth.h"
#include "explain/methods.h"
#include "explain/small_models.h"
#include "ops/pretend_device.h"

namespace nunchi::explain {
namespace {

double distance(const Tensor& a, const Tensor& b) {
  return (a - b).abs().max().item<double>() / std::max(1e-12, b.abs().max().item<double>());
}

// Backward runs on a thread of the device: two teams of OpenMP workers would wait for one another.
class OnDevice : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { at::set_num_threads(1); }
  void TearDown() override { at::set_num_threads(threads_); }

 private:
  const int threads_ = at::get_num_threads();
};

TEST_P(OnDevice, EveryMethodGivesTheMapsOfTheCpu) {
  const auto here = small_model(GetParam());
  const auto there = small_model(GetParam(), nn::Precision::fp32, ops::pretend_device());
  const Tensor pixels = random_pixels(here);
  const Subject on_cpu(here, pixels), on_device(there, pixels);
  for (const Method* method : methods_named("all", on_cpu)) {
    const Asked asked{.target = {.answer = 1, .instead_of = 0}, .samples = 6};
    const auto expected = explain(*method, on_cpu, asked).map, found = explain(*method, on_device, asked).map;
    ASSERT_TRUE(found.is_cpu()) << method->name;
    EXPECT_LT(distance(found, expected), 1e-3) << method->name;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, OnDevice,
                         testing::Values("vit_classifier", "deit_distilled", "dinov2_registers_classifier",
                                         "beit_classifier", "timm_eva02", "timm_vit_no_class_token", "swin_classifier",
                                         "swinv2_classifier", "resnet_bottleneck", "mobilenet_v2", "convnext",
                                         "convnextv2"));

TEST(Device, TheLensReplacesABlockThere) {
  const auto here = small_model("vit_classifier");
  const auto there = small_model("vit_classifier", nn::Precision::fp32, ops::pretend_device());
  const Tensor pixels = random_pixels(here);
  EXPECT_LT(distance(logit_lens(there, pixels), logit_lens(here, pixels)), 1e-4);
}

}  // namespace
}  // namespace nunchi::explain
