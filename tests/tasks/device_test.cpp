// Models on a device that is not the CPU, as far as that can be seen without a GPU (ops/pretend_device.h).
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/matmul.h>
#include <gmock/gmock.h>

#include "core/in_child.h"
#include "ops/pretend_device.h"
#include "tasks/cases.h"
#include "tasks/parity.h"
#include "tasks/vision_model.h"

namespace nunchi::tasks {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(PretendDevice, ItsMemoryIsOutOfReachAndDevicesAreNotMixed) {
  const Tensor here = at::arange(6, at::kFloat).view({2, 3}), there = here.to(ops::pretend_device());
  EXPECT_TRUE(at::equal((there.t() + 1).cpu(), here.t() + 1));
  EXPECT_THROW(at::matmul(here, there.t()), c10::Error);
  EXPECT_DEATH(
      {
        volatile float value = *there.const_data_ptr<float>();
        std::exit(value == 0 ? 0 : 1);
      },
      "");
}

class OnDevice : public testing::TestWithParam<std::string> {};

TEST_P(OnDevice, AgreesWithItsPeerAtEveryStage) {
  const auto result = run_case(case_folder(GetParam()), nn::Precision::fp32, ops::pretend_device());
  const auto* stage = result.first_failure();
  EXPECT_TRUE(result.passed() && stage == nullptr) << (stage != nullptr ? stage->name + " " + stage->remark : "");
}

INSTANTIATE_TEST_SUITE_P(Golden, OnDevice, testing::ValuesIn(case_names()),
                         [](const auto& tested) { return tested.param; });

TEST(Device, Bf16AgreesToo) {
  for (const auto* name : {"vit_classifier", "swin_classifier", "mobilenet_v2", "convnext", "timm_eva02"})
    EXPECT_TRUE(run_case(case_folder(name), nn::Precision::bf16, ops::pretend_device()).passed()) << name;
}

TEST(Device, Int8IsRefused) {
  EXPECT_THAT(
      error_of([] { VisionModel({.path = case_model("vit_classifier")}, nn::Precision::int8, ops::pretend_device()); }),
      AllOf(HasSubstr("int8 is computed on the CPU"), HasSubstr("fp32 or bf16")));
}

TEST(Device, ReplacedHeadsAndPlainNetworksLieThere) {
  const VisionModel model({.path = case_model("vit_classifier"), .classes = 5}, nn::Precision::bf16,
                          ops::pretend_device());
  for (auto* network : {&model.network(), &model.plain_network()})
    for (const auto& [name, slot] : network->tensors()) EXPECT_EQ(slot->tensor->device(), model.device()) << name;
}

}  // namespace
}  // namespace nunchi::tasks
