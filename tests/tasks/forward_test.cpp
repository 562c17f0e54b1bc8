#include "tasks/forward.h"

#include <ATen/ops/equal.h>
#include <gmock/gmock.h>

#include "core/in_child.h"
#include "tasks/cases.h"

namespace nunchi::tasks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> names_of(const std::vector<NamedTensor>& outputs) {
  std::vector<std::string> names;
  for (const auto& output : outputs) names.push_back(output.name);
  return names;
}

std::vector<NamedTensor> forward_case(const std::string& name, std::optional<image::Size> size = std::nullopt) {
  const VisionModel model({.path = case_model(name)});
  return forward_outputs(model, {.image = case_folder(name) / "input.png", .size = size});
}

TEST(ForwardOutputs, HaveTheNamesOfTransformersInTheOrderOfTheComputation) {
  EXPECT_THAT(names_of(forward_case("vit_classifier")),
              ElementsAre("pixel_values", "hidden_state_0", "hidden_state_1", "hidden_state_2", "hidden_state_3",
                          "last_hidden_state", "logits", "attentions_last"));
  EXPECT_THAT(names_of(forward_case("vit_pooler")),
              ElementsAre("pixel_values", "hidden_state_0", "hidden_state_1", "hidden_state_2", "last_hidden_state",
                          "pooler_output", "attentions_last"));
  EXPECT_THAT(names_of(forward_case("deit_distilled")),
              ElementsAre("pixel_values", "hidden_state_0", "hidden_state_1", "hidden_state_2", "last_hidden_state",
                          "cls_logits", "distillation_logits", "logits", "attentions_last"));
}

TEST(ForwardOutputs, OfAConvolutionalNetworkHaveNoAttentions) {
  const auto names = names_of(forward_case("mobilenet_v2"));
  EXPECT_EQ(names.front(), "pixel_values");
  EXPECT_EQ(names.back(), "logits");
  EXPECT_THAT(names, testing::Contains("pooler_output"));
}

TEST(ForwardOutputs, TakeAnotherSize) {
  const auto outputs = forward_case("vit_classifier", image::Size{24, 40});
  EXPECT_THAT(outputs.front().value.sizes(), ElementsAre(1, 3, 24, 40));
  EXPECT_THAT(outputs[1].value.sizes(), ElementsAre(1, 3 * 5 + 1, 36));
}

TEST(ForwardOutputs, AreFloatAlsoInBf16) {
  const VisionModel model({.path = case_model("vit_classifier")}, nn::Precision::bf16);
  for (const auto& [name, value] :
       forward_outputs(model, {.image = case_folder("vit_classifier") / "input.png", .size = {}})) {
    EXPECT_EQ(value.scalar_type(), at::kFloat) << name;
  }
}

TEST(ForwardOutputs, AreTheSameInASecondRun) {
  const VisionModel model({.path = case_model("vit_classifier")});
  const ForwardInput input{.image = case_folder("vit_classifier") / "input.png", .size = {}};
  const auto first = forward_outputs(model, input), second = forward_outputs(model, input);
  for (std::size_t i = 0; i < first.size(); ++i)
    EXPECT_TRUE(at::equal(first[i].value, second[i].value)) << first[i].name;
}

TEST(ForwardOutputs, AreWrittenAsTheyAre) {
  const TemporaryFolder folder;
  const auto outputs = forward_case("vit_classifier");
  write_outputs(folder / "out.safetensors", outputs);
  auto arrays = read_arrays(folder / "out.safetensors");
  ASSERT_EQ(arrays.size(), outputs.size());
  for (const auto& [name, value] : outputs) {
    EXPECT_EQ(arrays.at(name).shape, value.sizes().vec()) << name;
    EXPECT_EQ(std::memcmp(arrays.at(name).bytes.data(), value.const_data_ptr(), value.nbytes()), 0) << name;
  }
}

TEST(ForwardOutputs, NeedATransform) {
  const TemporaryFolder folder;
  const auto copy = copy_case("vit_classifier", folder);
  std::filesystem::remove(copy / "model/preprocessor_config.json");
  const VisionModel model({.path = copy / "model"});
  EXPECT_THAT(error_of([&] { forward_outputs(model, {.image = copy / "input.png", .size = {}}); }),
              HasSubstr("preprocessor_config.json"));
}

// --- the weights alone, under timm's names

TEST(StateDict, NeedsTheNameOfItsArchitecture) {
  const auto weights = case_model("vit_classifier") / "model.safetensors";
  EXPECT_THAT(error_of([&] { VisionModel({.path = weights}); }), HasSubstr("--arch"));
  EXPECT_THAT(error_of([&] { VisionModel({.path = weights, .arch = "vit_enormous"}); }),
              testing::AllOf(HasSubstr("vit_enormous"), HasSubstr("nearest")));
  EXPECT_THAT(error_of([&] { VisionModel({.path = weights, .arch = "vit_tiny_patch16_224"}); }),
              testing::AllOf(HasSubstr("do not fit"), HasSubstr("missing"), HasSubstr("blocks.0.norm1.weight")));
}

}  // namespace
}  // namespace nunchi::tasks
