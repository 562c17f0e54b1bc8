#include "tasks/parity.h"

#include <gmock/gmock.h>

#include <cmath>

#include "core/in_child.h"
#include "tasks/cases.h"

namespace nunchi::tasks {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string failure_of(const ParityResult& result) {
  const auto* stage = result.first_failure();
  if (stage == nullptr) return "";
  return fmt::format("{}: {:.2e} absolute, {:.2e} relative {}", stage->name, stage->max_absolute, stage->max_relative,
                     stage->remark);
}

const StageResult& stage_of(const ParityResult& result, const std::string& name) {
  for (const auto& stage : result.stages) {
    if (stage.name == name) return stage;
  }
  throw Error(ErrorKind::internal, "no stage " + name);
}

class EveryCase : public testing::TestWithParam<std::string> {};

TEST_P(EveryCase, AgreesWithItsPeerAtEveryStage) {
  const auto result = run_case(case_folder(GetParam()));
  EXPECT_TRUE(result.passed());
  EXPECT_EQ(failure_of(result), "");
  EXPECT_EQ(result.name, GetParam());
  EXPECT_EQ(result.stages.front().name, "pixel_values");
  EXPECT_EQ(result.stages.front().max_absolute, 0);
}

INSTANTIATE_TEST_SUITE_P(Golden, EveryCase, testing::ValuesIn(case_names()),
                         [](const auto& tested) { return tested.param; });

class Bf16Case : public testing::TestWithParam<const char*> {};

TEST_P(Bf16Case, AgreesWithinItsCoarserTolerance) {
  const auto result = run_case(case_folder(GetParam()), nn::Precision::bf16);
  EXPECT_TRUE(result.passed()) << failure_of(result);
  EXPECT_GT(stage_of(result, "hidden_state_1").max_absolute, 0) << "bf16 with the numbers of fp32 is not bf16";
}

INSTANTIATE_TEST_SUITE_P(Golden, Bf16Case,
                         testing::Values("vit_classifier", "vit_pooler", "vit_bf16", "deit_distilled", "dinov2",
                                         "dinov2_swiglu", "dinov2_registers", "mobilenet_v2_model", "timm_vit_map",
                                         "timm_vit_rms_norm", "timm_vit_clip"),
                         [](const auto& tested) { return std::string(tested.param); });

// --- a comparison that cannot fail proves nothing

class AlteredCase : public testing::Test {
 protected:
  void change_weight(const std::string& name, float by) {
    change_arrays(case_ / "model/model.safetensors", [&](Arrays& arrays) { arrays.at(name).floats()[0] += by; });
  }
  void change_expected(const std::function<void(Arrays&)>& change) {
    change_arrays(case_ / "expected.safetensors", change);
  }
  void change_case(const std::function<void(Json&)>& change) { change_json(case_ / "case.json", change); }
  std::string error() const {
    return error_of([&] { run_case(case_); });
  }

  const TemporaryFolder folder_;
  const std::filesystem::path case_ = copy_case("vit_classifier", folder_);
};

TEST_F(AlteredCase, AnUnalteredCopyPasses) { EXPECT_EQ(failure_of(run_case(case_)), ""); }

TEST_F(AlteredCase, AWeightOfTheSecondBlockFailsThere) {
  change_weight("vit.encoder.layer.1.output.dense.bias", 0.01f);
  const auto result = run_case(case_);
  ASSERT_NE(result.first_failure(), nullptr);
  EXPECT_EQ(result.first_failure()->name, "hidden_state_2");
  EXPECT_FALSE(result.passed());
}

TEST_F(AlteredCase, AWeightOfTheEmbeddingFailsThere) {
  change_weight("vit.embeddings.cls_token", 0.01f);
  EXPECT_EQ(run_case(case_).first_failure()->name, "hidden_state_0");
}

TEST_F(AlteredCase, AWeightOfTheHeadFailsInTheLogitsOnly) {
  change_weight("classifier.bias", 0.01f);
  const auto result = run_case(case_);
  EXPECT_EQ(result.first_failure()->name, "logits");
  EXPECT_TRUE(stage_of(result, "last_hidden_state").passed);
  EXPECT_FALSE(result.passed());
}

TEST_F(AlteredCase, AnExpectedValueFailsByAsMuchAsItWasChanged) {
  change_expected([](Arrays& arrays) { arrays.at("logits").floats()[3] += 0.5f; });
  const auto result = run_case(case_);
  EXPECT_EQ(result.first_failure()->name, "logits");
  EXPECT_NEAR(result.first_failure()->max_absolute, 0.5, 1e-3);
}

TEST_F(AlteredCase, OneBitOfThePixelsFails) {
  change_expected([](Arrays& arrays) {
    float& value = arrays.at("pixel_values").floats()[5];
    value = std::nextafter(value, 10.0f);
  });
  EXPECT_EQ(run_case(case_).first_failure()->name, "pixel_values");
}

TEST_F(AlteredCase, AnotherPictureFailsAtThePixels) {
  write_ppm(case_ / "input.png", 61, 47);  // known by its first bytes, not by its name
  const auto result = run_case(case_);
  EXPECT_EQ(result.first_failure()->name, "pixel_values");
  EXPECT_FALSE(stage_of(result, "logits").passed);
}

TEST_F(AlteredCase, NotANumberFails) {
  change_expected([](Arrays& arrays) { arrays.at("logits").floats()[0] = NAN; });
  EXPECT_FALSE(run_case(case_).passed());
}

TEST_F(AlteredCase, AnotherShapeFailsWithBothShapes) {
  change_expected([](Arrays& arrays) { arrays.at("logits").shape = {7, 1}; });
  EXPECT_EQ(stage_of(run_case(case_), "logits").remark, "expected shape [7, 1], found [1, 7]");
}

TEST_F(AlteredCase, AnOutputThatTheModelLacksFailsWhereItIsRequired) {
  change_expected([](Arrays& arrays) { arrays["pooler_output"] = arrays.at("logits"); });
  EXPECT_TRUE(run_case(case_).passed());
  EXPECT_EQ(run_case(case_).first_failure()->remark, "not produced");
  change_case([](Json& json) { json["required"].push_back("pooler_output"); });
  EXPECT_FALSE(run_case(case_).passed());
}

TEST_F(AlteredCase, ARequiredOutputThatIsNotExpectedFails) {
  change_expected([](Arrays& arrays) { arrays.erase("logits"); });
  const auto result = run_case(case_);
  EXPECT_FALSE(result.passed());
  EXPECT_THAT(result.first_failure()->remark, HasSubstr("not in expected.safetensors"));
}

TEST_F(AlteredCase, ExpectedValuesOfAnotherTypeAreRefused) {
  change_expected([](Arrays& arrays) {
    auto& logits = arrays.at("logits");
    logits.dtype = formats::Dtype::f16;
    logits.bytes.resize(logits.bytes.size() / 2);
  });
  EXPECT_THAT(error(),
              AllOf(HasSubstr("expected.safetensors"), HasSubstr("logits"), HasSubstr("F32"), HasSubstr("F16")));
}

TEST_F(AlteredCase, AMissingPartIsNamed) {
  EXPECT_THAT(error_of([&] { run_case(case_ / "model"); }),
              AllOf(HasSubstr("not a parity case"), HasSubstr("case.json")));
  std::filesystem::remove(case_ / "input.png");
  EXPECT_THAT(error(), HasSubstr((case_ / "input.png").string()));
  std::filesystem::remove(case_ / "expected.safetensors");
  EXPECT_THAT(error(), HasSubstr((case_ / "expected.safetensors").string()));
}

TEST_F(AlteredCase, ABrokenCaseFileIsAnErrorThatNamesIt) {
  write_file(case_ / "case.json", R"({"name": "vit_classifier")");
  EXPECT_THAT(error(), HasSubstr((case_ / "case.json").string()));
}

}  // namespace
}  // namespace nunchi::tasks
