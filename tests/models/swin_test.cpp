#include "models/swin.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include "core/in_child.h"
#include "core/temporary_folder.h"
#include "models/architectures.h"
#include "nn/named.h"
#include "ops/compare.h"
#include "weights/checkpoint.h"

namespace nunchi::models {
namespace {

using nn::named;
using testing::AllOf;
using testing::HasSubstr;

SwinConfig tiny(bool second = false) {
  SwinConfig config;
  config.image_size = {32, 48};
  config.stages = swin_stages(8, {2, 1}, {2, 2}, {4, 4}, 2);
  config.classes = 5;
  config.second = second;
  return config;
}

std::int64_t parameters(const SwinConfig& config) { return Swin(config).parameter_count(); }

TEST(Swin, HasThePublishedParameterCounts) {  // R026
  EXPECT_EQ(parameters(swin_t()), 28'288'354);
  EXPECT_EQ(parameters(swin_s()), 49'606'258);
  EXPECT_EQ(parameters(swin_b()), 87'768'224);
  EXPECT_EQ(parameters(swin_l()), 196'532'476);
}

// torchvision counts a bias of the keys in version 2, which it sets to zero whenever it runs.
std::int64_t unused_key_biases(const Json& arguments) {
  if (!arguments.contains("block")) return 0;
  std::int64_t count = 0;
  for (std::size_t i = 0; i < 4; ++i)
    count += arguments["depths"][i].get<std::int64_t>() * (arguments["embed_dim"].get<std::int64_t>() << i);
  return count;
}

TEST(Swin, HasTheParameterCountsOfEveryArchitecture) {
  const auto path = std::filesystem::path(NUNCHI_SOURCE_DIR) / "tests/golden/architectures.json";
  const Json golden = read_json(path);
  int compared = 0;
  for (const auto publisher : {Publisher::timm, Publisher::torchvision}) {
    const std::string library(publisher_name(publisher));
    const auto file = fmt::format("{}/assets/models/{}.json", NUNCHI_SOURCE_DIR, library);
    const Json table = read_json(file);
    for (const auto& [name, row] : table.at("architectures").items()) {
      const auto family = row.at("class").get<std::string>();
      if (family != "SwinTransformer" && family != "SwinTransformerV2") continue;
      const auto built = build_named(library + "/" + name);
      const auto expected = golden.at(library).at(name).get<std::int64_t>() - unused_key_biases(row.at("args"));
      EXPECT_EQ(built.model->parameter_count(), expected) << name;
      ++compared;
    }
  }
  EXPECT_GE(compared, 27);
}

TEST(Swin, HalvesItsMapsFromStageToStage) {  // R026
  for (const bool second : {false, true}) {
    SwinConfig config = tiny(second);
    config.stages = swin_stages(8, {1, 2, 1, 1}, {1, 2, 2, 4}, {4, 4}, 2);
    Swin swin(config);
    randomise(swin, 1);
    const c10::InferenceMode inference;
    const auto output = swin.forward(random({2, 3, 64, 40}, 2), {.hidden_states = true, .attentions = true});
    ASSERT_EQ(output.feature_maps.size(), 4u);
    EXPECT_EQ(output.feature_maps[0].sizes(), at::IntArrayRef({2, 8, 16, 10}));
    EXPECT_EQ(output.feature_maps[1].sizes(), at::IntArrayRef({2, 16, 8, 5}));
    EXPECT_EQ(output.feature_maps[2].sizes(), at::IntArrayRef({2, 32, 4, 3}));  // an odd size
    EXPECT_EQ(output.feature_maps[3].sizes(), at::IntArrayRef({2, 64, 2, 2}));
    ASSERT_EQ(output.hidden_states.size(), 5u);
    EXPECT_EQ(output.hidden_states[1].sizes(), at::IntArrayRef({2, 8, 5, 16}));
    EXPECT_TRUE(same(output.hidden_states[4].permute({0, 3, 1, 2}), output.feature_maps[3]));
    ASSERT_EQ(output.attentions.size(), 5u);
    EXPECT_EQ(output.attentions[1].sizes(), at::IntArrayRef({2 * 2 * 2, 2, 16, 16}));
    EXPECT_EQ(output.grid, (nn::Grid{2, 2}));
    EXPECT_EQ(output.logits.sizes(), at::IntArrayRef({2, 5}));
    EXPECT_TRUE(all_finite(output.logits));
  }
}

TEST(Swin, CostsAsManyTimesMoreAsThePictureIsLarger) {  // R026: linear in the area
  Swin swin(tiny());
  const auto one = count_macs(swin, {3, 32, 32}), four = count_macs(swin, {3, 64, 64});
  EXPECT_GT(one, 0);
  EXPECT_EQ(four - 4 * one, -3 * 16 * 5);  // the head is the same
}

TEST(Swin, MergesFourNeighboursIntoOne) {  // in the order of the authors: down first, then right
  for (const bool second : {false, true}) {
    PatchMerging merging(2, 4, second);
    nn::randomise(merging, 1);
    const Tensor map = random({1, 3, 5, 2}, 2), merged = merging.forward(map.view({1, 15, 2}), {3, 5});
    ASSERT_EQ(merged.sizes(), at::IntArrayRef({1, 6, 4}));
    const Tensor nothing = at::zeros({2});
    const auto expect = [&](std::int64_t token, const std::vector<Tensor>& four) {
      const Tensor joined = at::cat(four, 0).unsqueeze(0);
      const Tensor reduced = second ? merging.norm.forward(merging.reduction.forward(joined))
                                    : merging.reduction.forward(merging.norm.forward(joined));
      EXPECT_LT(difference(merged[0][token], reduced[0]), 1e-6) << token;
    };
    expect(1, {map[0][0][2], map[0][1][2], map[0][0][3], map[0][1][3]});
    expect(5, {map[0][2][4], nothing, nothing, nothing});
  }
}

// Whether the row of tokens `seen` of a shifted block depends on the row `changed` of its 8 x 8 map.
bool looks_from_to(SwinBlock& block, std::int64_t seen, std::int64_t changed) {
  const Tensor map = random({1, 8, 8, 8}, 2);
  Tensor other = map.clone();
  other.select(1, changed).add_(random({1, 8, 8}, 3));
  const auto of = [&](const Tensor& x) { return block.forward(x.view({1, 64, 8}), {8, 8}).view({8, 8, 8})[seen]; };
  return difference(of(other), of(map)) > 1e-6;
}

TEST(Swin, DoesNotLookAroundTheEdge) {  // R025
  for (const bool second : {false, true}) {
    const auto config = tiny(second);
    SwinBlock still(config, config.stages[0], false), shifted(config, config.stages[0], true);
    randomise(still, 1);
    randomise(shifted, 1);
    EXPECT_TRUE(looks_from_to(still, 0, 3));
    EXPECT_FALSE(looks_from_to(still, 0, 4));
    EXPECT_TRUE(looks_from_to(shifted, 3, 4)) << "the shift joins what the windows part";
    EXPECT_TRUE(looks_from_to(shifted, 0, 1));
    EXPECT_FALSE(looks_from_to(shifted, 0, 7)) << "in one window, but from the far edge";
    EXPECT_FALSE(looks_from_to(shifted, 7, 0));
  }
}

TEST(Swin, LooksAroundTheEdgeWithoutTheMask) {  // R025: what the mask is for
  auto config = tiny();
  config.parted_score = 0;
  SwinBlock shifted(config, config.stages[0], true);
  randomise(shifted, 1);
  EXPECT_TRUE(looks_from_to(shifted, 0, 7));
}

TEST(Swin, IsTheIdentityWhereItsBranchesAreZero) {
  for (const bool second : {false, true}) {
    const auto config = tiny(second);
    SwinBlock block(config, config.stages[0], true);
    randomise(block, 1);
    for (const std::string name : {"attn.proj.weight", "attn.proj.bias", "mlp.fc2.weight", "mlp.fc2.bias"})
      named(block, name).zero_();
    for (const std::string name : {"norm1.bias", "norm2.bias"}) {
      if (second) named(block, name).zero_();
    }
    const Tensor x = random({2, 7 * 9, 8}, 2);
    EXPECT_TRUE(same(block.forward(x, {7, 9}), x));
  }
}

TEST(Swin, TakesAnySize) {
  for (const bool second : {false, true}) {
    for (const auto small_maps : {SmallMaps::keep, SmallMaps::do_not_shift, SmallMaps::one_window}) {
      SwinConfig config = tiny(second);
      config.small_maps = small_maps;
      config.absolute_positions = true;
      Swin swin(config);
      randomise(swin, 1);
      for (const auto& [h, w] : {std::pair{1, 1}, {4, 4}, {17, 63}, {96, 20}, {32, 48}}) {
        const auto output = swin.forward(random({1, 3, h, w}, 2));
        EXPECT_EQ(output.last_hidden_state.size(1), ((h + 3) / 4 + 1) / 2);
        EXPECT_TRUE(all_finite(output.logits));
      }
    }
  }
}

TEST(Swin, AnswersABatchAsItsPictures) {
  for (const bool second : {false, true}) {
    Swin swin(tiny(second));
    randomise(swin, 1);
    const Tensor images = random({3, 3, 37, 50}, 2), together = swin.forward(images).logits;
    for (std::int64_t i = 0; i < 3; ++i)
      EXPECT_LT(difference(together.slice(0, i, i + 1), swin.forward(images.slice(0, i, i + 1)).logits), 1e-5);
  }
}

TEST(Swin, RefusesPicturesThatItCannotTake) {
  Swin swin(tiny());
  randomise(swin, 1);
  EXPECT_THAT(error_of([&] {
                swin.forward(random({1, 4, 32, 48}, 1));
              }),
              AllOf(HasSubstr("[b, 3, h, w]"), HasSubstr("[1, 4, 32, 48]")));
  SwinConfig config = tiny();
  config.pad_patches = false;
  Swin strict(config);
  randomise(strict, 1);
  EXPECT_THAT(error_of([&] { strict.forward(random({1, 3, 3, 48}, 1)); }), HasSubstr("at least 4 x 4"));
}

std::string error_of_timm(const std::string& arguments) {
  return error_of(
      [&] { build({.publisher = Publisher::timm, .name = "SwinTransformer", .config = Json::parse(arguments)}); });
}

TEST(Swin, RefusesWhatItDoesNotKnowOfTimm) {
  EXPECT_THAT(error_of_timm(R"({"embed_layer": "HybridEmbed"})"), HasSubstr("\"embed_layer\""));
  EXPECT_THAT(error_of_timm(R"({"global_pool": "catavgmax"})"), HasSubstr("avg, max and avgmax"));
  EXPECT_THAT(error_of_timm(R"({"window_size": [7, 7, 7]})"), HasSubstr("window_size"));
  EXPECT_THAT(error_of_timm(R"({"num_heads": [3, 6]})"), HasSubstr("num_heads"));
  EXPECT_THAT(error_of_timm(R"({"mlp_ratio": [4, 4]})"), HasSubstr("mlp_ratio"));
}

TEST(Swin, RefusesAbsurdSizes) {
  for (const std::string field :
       {R"("embed_dim": 0)", R"("embed_dim": 9000000000000000000)", R"("depths": [])", R"("depths": [2, 2])",
        R"("depths": [2, 2, 1000000, 2])", R"("num_heads": [0, 1, 1, 1])", R"("window_size": 0)",
        R"("window_size": 1000000)", R"("mlp_ratio": 1e300)", R"("patch_size": 0)", R"("image_size": -1)"}) {
    for (const std::string type : {"swin", "swinv2"}) {
      const Json config = Json::parse(R"({"model_type": ")" + type + "\", " + field + "}");
      EXPECT_THAT(error_of([&] { build({.name = type, .config = config}); }), testing::Not(testing::IsEmpty()))
          << type << " " << field;
    }
  }
}

TEST(Swin, TakesItsSizesFromTensorsAlone) {
  const Json arguments = Json::parse(R"({"in_chans": 1, "embed_dim": 8, "depths": [1, 3], "num_heads": [2, 4],
                                         "window_size": 5, "mlp_ratio": 2, "num_classes": 6, "patch_size": [2, 4]})");
  Source source{.publisher = Publisher::timm, .name = "SwinTransformer", .config = arguments};
  const auto expected = build(source);
  for (const auto& [name, slot] : expected.model->tensors()) source.shapes[name] = slot->shape;
  source.config = Json::object();
  source.sizes_from_shapes = true;
  const auto found = build(source);
  const auto tensors = found.model->tensors();
  ASSERT_EQ(tensors.size(), source.shapes.size());
  for (const auto& [name, slot] : tensors) EXPECT_EQ(slot->shape, source.shapes.at(name)) << name;
  EXPECT_EQ(found.model->classes(), 6);
  EXPECT_EQ(dynamic_cast<const Swin&>(*found.model).config().stages[1].shift, (nn::Grid{2, 2}));
}

TEST(Swin, LeavesOutTheBiasOfTheKeysThatTorchvisionHas) {
  const Json arguments = Json::parse(R"({"embed_dim": 4, "depths": [1], "num_heads": [2], "window_size": [2, 2],
                                         "num_classes": 3, "block": "SwinTransformerBlockV2"})");
  const Source source{.publisher = Publisher::torchvision, .name = "SwinTransformer", .config = arguments};
  const auto built = build(source), again = build(source);
  randomise(*built.model, 1);
  const TemporaryFolder folder;
  const auto path = folder / "model.safetensors";
  weights::write_checkpoint(path, *built.model, built.keys, "");

  const Tensor bias = weights::Checkpoint(formats::open_weights(path), {}).read("features.1.0.attn.qkv.bias");
  ASSERT_EQ(bias.size(0), 12);
  EXPECT_TRUE(same(bias.slice(0, 0, 4), named(*built.model, "layers.0.blocks.0.attn.q_bias")));
  EXPECT_EQ(bias.slice(0, 4, 8).abs().max().item<double>(), 0);
  EXPECT_TRUE(same(bias.slice(0, 8, 12), named(*built.model, "layers.0.blocks.0.attn.v_bias")));

  weights::Checkpoint(formats::open_weights(path), again.keys).load(*again.model);
  for (const auto& [name, slot] : built.model->tensors())
    EXPECT_TRUE(same(named(*again.model, name), *slot->tensor)) << name;
}

TEST(Swin, ReadsOldAndNewFilesOfTimm) {  // the merging at the end of a stage, or at the start of the next
  const auto names = [](const std::map<std::string, Shape>& shapes) {
    const auto built = build({.publisher = Publisher::timm, .name = "SwinTransformer", .shapes = shapes});
    return std::pair{built.keys.their_names("layers.1.downsample.norm.bias", ""),
                     built.keys.their_names("head.fc.weight", "")};
  };
  const auto [old_merging, old_head] =
      names({{"layers.0.downsample.reduction.weight", {192, 384}}, {"head.weight", {1000, 768}}});
  EXPECT_EQ(old_merging, std::vector<std::string>{"layers.0.downsample.norm.bias"});
  EXPECT_EQ(old_head, std::vector<std::string>{"head.weight"});
  const auto [merging, head] =
      names({{"layers.1.downsample.reduction.weight", {192, 384}}, {"head.fc.weight", {1000, 768}}});
  EXPECT_EQ(merging, std::vector<std::string>{"layers.1.downsample.norm.bias"});
  EXPECT_EQ(head, std::vector<std::string>{"head.fc.weight"});
}

}  // namespace
}  // namespace nunchi::models
