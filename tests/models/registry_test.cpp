#include "models/registry.h"

#include "models/architectures.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include "core/in_child.h"

namespace nunchi::models {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

Source source_of(const Json& config, const std::vector<std::string>& keys = {}) {
  Source source{.name = get_or<std::string>(config, "model_type", ""), .config = config};
  for (const auto& key : keys) source.shapes[key] = {};
  return source;
}

std::string error_of_config(const std::string& text) {
  return error_of([&] { build(source_of(Json::parse(text), {"classifier.weight"})); });
}

TEST(Registry, SaysThatAnArchitectureIsKnownButNotSupported) {  // R027
  for (const std::string type : {"cvt", "pvt", "vitdet", "clip", "sam"}) {
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

TEST(Registry, NamesTheNearestArchitectureForAnUnknownOne) {
  EXPECT_THAT(error_of([] { build_named("vit_base_patch16_244"); }),
              AllOf(HasSubstr("no such architecture"), HasSubstr("vit_base_patch16_224")));
}

TEST(Registry, SaysThatAnArchitectureOfALibraryIsKnownButNotSupported) {  // R039
  for (const std::string name : {"efficientnet_b0", "mobilevit_s", "alexnet", "vgg16"}) {
    EXPECT_THAT(error_of([&] { build_named(name); }),
                AllOf(HasSubstr(name + ": known"), HasSubstr("not supported"), HasSubstr("nearest")));
  }
}

TEST(Registry, ListsCheckpointsByWildcard) {  // R036
  const auto listed = list_checkpoints("vit*");
  const auto of_timm = std::ranges::count(listed, Publisher::timm, &ListedCheckpoint::publisher);
  EXPECT_EQ(of_timm, 361);
  EXPECT_TRUE(list_checkpoints("no_such_*").empty());
}

TEST(Registry, BuildsEveryFamilyOfTransformersFromItsDefaults) {
  for (const auto& family : families()) {
    for (const auto& name : family.names) {
      if (name.publisher != Publisher::transformers) continue;
      const auto built = build({.name = std::string(name.name)});
      EXPECT_GT(built.model->parameter_count(), 1'000'000) << name.name;
      EXPECT_EQ(built.model->classes(), 0) << name.name;
    }
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
    EXPECT_EQ(build(source_of(one)).model->input_shape(), (Shape{3, 96, 96})) << type;
    EXPECT_EQ(build(source_of(two)).model->input_shape(), (Shape{3, 96, 128})) << type;
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
