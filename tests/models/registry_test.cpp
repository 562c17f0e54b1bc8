#include "models/registry.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include "core/in_child.h"

namespace nunchi::models {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

std::string error_of_config(const std::string& text, const std::vector<std::string>& keys = {"classifier.weight"}) {
  const Json config = Json::parse(text);
  return error_of([&] { build({config, keys}); });
}

TEST(Registry, SaysThatAnArchitectureIsKnownButNotSupported) {  // R027
  for (const std::string type : {"cvt", "pvt", "swin", "dinov3_vit", "clip", "sam"}) {
    EXPECT_THAT(error_of_config("{\"model_type\": \"" + type + "\"}"),
                AllOf(HasSubstr("\"" + type + "\" is known, but not supported"), HasSubstr("nearest")));
  }
}

TEST(Registry, NamesWhatItSupportsForAnUnknownType) {
  EXPECT_THAT(error_of_config(R"({"model_type": "vitt"})"),
              AllOf(HasSubstr("\"vitt\" is not known"), HasSubstr("dinov2_with_registers")));
  EXPECT_THAT(error_of_config("{}"), HasSubstr("model_type"));
  EXPECT_THAT(error_of_config(R"({"model_type": null})"), HasSubstr("model_type"));
  EXPECT_THAT(error_of_config(R"({"model_type": 3})"), HasSubstr("model_type"));
}

TEST(Registry, NamesThePresetsForAnUnknownOne) {
  const auto error = error_of([] { build_preset("vit_enormous"); });
  EXPECT_THAT(error,
              AllOf(HasSubstr("vit_enormous"), HasSubstr("vit_base_patch16_224"), HasSubstr("mobilenet_v2_1.0_224")));
}

TEST(Registry, BuildsEveryArchitectureFromItsDefaults) {
  for (const auto& architecture : architectures()) {
    const Json config = {{"model_type", architecture.model_type}};
    const auto built = build({config, {}});
    EXPECT_GT(built.model->parameter_count(), 1'000'000) << architecture.model_type;
    EXPECT_EQ(built.model->classes(), 0) << architecture.model_type;
  }
}

TEST(Registry, CountsLabels) {
  EXPECT_EQ(label_count(Json::parse(R"({"id2label": {"0": "a", "1": "b", "2": "c"}, "num_labels": 9})")), 3);
  EXPECT_EQ(label_count(Json::parse(R"({"num_labels": 9})")), 9);
  EXPECT_EQ(label_count(Json::parse("{}")), 2);
}

TEST(Registry, TakesASizeAsOneNumberOrTwo) {
  for (const std::string type : {"vit", "mobilenet_v2"}) {
    const Json one = {{"model_type", type}, {"image_size", 96}};
    const Json two = {{"model_type", type}, {"image_size", {96, 128}}};
    EXPECT_EQ(build({one, {}}).model->input_shape(), (Shape{3, 96, 96})) << type;
    EXPECT_EQ(build({two, {}}).model->input_shape(), (Shape{3, 96, 128})) << type;
  }
}

const char* const absurd_vits[] = {
    R"("hidden_size": 0)",
    R"("hidden_size": -768)",
    R"("hidden_size": 9000000000000000000)",
    R"("hidden_size": 1e300)",
    R"("hidden_size": "768")",
    R"("patch_size": 0)",
    R"("patch_size": [16])",
    R"("image_size": [224, -1])",
    R"("num_attention_heads": 0)",
    R"("num_attention_heads": 100000)",
    R"("num_hidden_layers": 1000000)",
    R"("num_hidden_layers": -1)",
    R"("intermediate_size": -5)",
    R"("intermediate_size": 9000000000000000000)",
    R"("head_dim": -64)",
    R"("head_dim": 4000000000000000000)",
    R"("num_labels": 4000000000000000000)",
    R"("num_labels": -1)",
    R"("hidden_act": "swirl")",
};

TEST(Registry, RefusesAbsurdSizesOfVit) {
  for (const std::string field : absurd_vits) {
    const auto error =
        error_of_config(R"({"model_type": "vit", "architectures": ["ViTForImageClassification"], )" + field + "}");
    EXPECT_THAT(error, testing::Not(IsEmpty())) << field;
  }
}

TEST(Registry, RefusesAbsurdSizesOfDino) {
  for (const std::string field :
       {R"("mlp_ratio": 1e300)", R"("mlp_ratio": -4)", R"("num_register_tokens": 4000000000000000000)",
        R"("num_register_tokens": -4)", R"("use_swiglu_ffn": 7.5)"}) {
    EXPECT_THAT(error_of_config(R"({"model_type": "dinov2_with_registers", )" + field + "}"), testing::Not(IsEmpty()))
        << field;
  }
}

TEST(Registry, RefusesAbsurdSizesOfMobileNetV2) {
  for (const std::string field :
       {R"("depth_divisible_by": 0)", R"("depth_divisible_by": -8)", R"("depth_multiplier": 0)",
        R"("depth_multiplier": -1)", R"("depth_multiplier": 1e300)", R"("expand_ratio": 1e18)", R"("expand_ratio": -6)",
        R"("output_stride": 0)", R"("min_depth": 9000000000000000000)", R"("num_labels": 4000000000000000000)",
        R"("image_size": 0)", R"("num_channels": 0)"}) {
    EXPECT_THAT(error_of_config(R"({"model_type": "mobilenet_v2", )" + field + "}"), testing::Not(IsEmpty())) << field;
  }
}

TEST(Registry, RefusesAbsurdSizesBeforeItTakesMemory) {
  const auto end = in_child([] {
    rusage before{}, after{};
    getrusage(RUSAGE_SELF, &before);
    for (const std::string field : absurd_vits)
      error_of_config(R"({"model_type": "vit", "architectures": ["ViTForImageClassification"], )" + field + "}");
    getrusage(RUSAGE_SELF, &after);
    return after.ru_maxrss - before.ru_maxrss < 64 * 1024 ? 0 : 1;  // KiB
  });
  EXPECT_EQ(end.exit_code, 0);
}

}  // namespace
}  // namespace nunchi::models
