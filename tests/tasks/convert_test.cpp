#include "tasks/convert.h"

#include <ATen/ops/equal.h>
#include <gmock/gmock.h>

#include "core/in_child.h"
#include "core/temporary_folder.h"
#include "tasks/cases.h"
#include "weights/checkpoint.h"

namespace nunchi::tasks {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

Tensor read(const fs::path& folder, const std::string& name) {
  return weights::tensor_of(formats::open_weights(folder), name).clone();
}

TEST(ConvertToSafetensors, KeepsNamesValuesAndDescriptions) {
  const TemporaryFolder folder;
  const auto original = case_model("vit_sharded");
  const auto written = convert({.path = original}, folder / "out", {.layout = Layout::safetensors});
  const auto before = formats::open_weights(original), after = formats::open_weights(folder / "out");
  EXPECT_EQ(after.names(), before.names());
  EXPECT_EQ(written.tensors, before.names().size());
  for (const auto& name : before.names())
    EXPECT_TRUE(at::equal(weights::tensor_of(after, name), weights::tensor_of(before, name))) << name;
  EXPECT_EQ(read_json(folder / "out" / "config.json"), read_json(original / "config.json"));
  EXPECT_EQ(after.files().size(), 1u);
}

TEST(ConvertToSafetensors, RoundsToTheDtypeAskedFor) {
  const TemporaryFolder folder;
  const std::string name = "classifier.weight";
  const auto original = case_model("vit_classifier");
  const Tensor plain = read(original, name);
  for (const auto& [dtype, type] : {std::pair{"fp16", at::kHalf}, {"bf16", at::kBFloat16}, {"fp32", at::kFloat}}) {
    const auto out = folder / dtype;
    convert({.path = original}, out, {.layout = Layout::safetensors, .dtype = dtype});
    const Tensor rounded = read(out, name);
    EXPECT_EQ(rounded.scalar_type(), type);
    EXPECT_TRUE(at::equal(rounded, plain.to(type))) << dtype;
  }
  EXPECT_EQ(read_json(folder / "fp16" / "config.json")["dtype"], "float16");
}

TEST(Convert, NeverWritesIntoAFolderWithFiles) {
  const TemporaryFolder folder;
  write_file(folder / "mine.txt", "kept");
  EXPECT_THAT(error_of([&] { convert({.path = case_model("vit_classifier")}, folder.path(), {}); }),
              HasSubstr("empty folder"));
  EXPECT_EQ(read_file(folder / "mine.txt", 100), "kept");
}

TEST(Convert, LeavesNothingBehindWhereItFails) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of([&] { convert({.path = folder / "no-such-model"}, folder / "out", {}); }), HasSubstr("no-such"));
  EXPECT_THAT(
      error_of([&] { convert({.path = case_model("mobilenet_v2")}, folder / "out", {.layout = Layout::timm}); }),
      HasSubstr("--as safetensors"));
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(Convert, RefusesWindowsThatTransformersCannotCut) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of([&] {
                convert({.path = case_model("timm_swin_four_stages")}, folder / "out",
                        {.layout = Layout::transformers});
              }),
              HasSubstr("windows cut to a map"));
}

// Of one publisher, written for the other and back: the same tensors.
class ConvertThereAndBack : public testing::TestWithParam<std::pair<const char*, Layout>> {};

TEST_P(ConvertThereAndBack, KeepsEveryTensor) {
  const auto& [name, home] = GetParam();
  const auto other = home == Layout::timm ? Layout::transformers : Layout::timm;
  const TemporaryFolder folder;
  convert({.path = case_model(name)}, folder / "other", {.layout = other});
  convert({.path = folder / "other"}, folder / "back", {.layout = home});
  const auto before = formats::open_weights(case_model(name)), back = formats::open_weights(folder / "back"),
             between = formats::open_weights(folder / "other");
  EXPECT_NE(between.names(), before.names());
  std::size_t compared = 0;
  for (const auto& key : back.names()) {
    ASSERT_NE(before.find(key), nullptr) << key;
    EXPECT_TRUE(at::equal(weights::tensor_of(back, key), weights::tensor_of(before, key).to(at::kFloat))) << key;
    ++compared;
  }
  EXPECT_EQ(compared, before.names().size());
}

INSTANTIATE_TEST_SUITE_P(Families, ConvertThereAndBack,
                         testing::Values(std::pair{"vit_classifier", Layout::transformers},
                                         std::pair{"timm_vit", Layout::timm}, std::pair{"timm_swin", Layout::timm},
                                         std::pair{"swinv2_classifier", Layout::transformers},
                                         std::pair{"timm_resnet_bottleneck", Layout::timm}),
                         [](const auto& test) { return test.param.first; });

TEST(Convert, RefusesANewHeadUnderTheSameNames) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of([&] { convert({.path = case_model("vit_classifier"), .classes = 3}, folder / "out", {}); }),
              HasSubstr("--as hf"));
}

}  // namespace
}  // namespace nunchi::tasks
