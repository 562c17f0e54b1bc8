#include "models/eva.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include "core/in_child.h"
#include "models/architectures.h"
#include "models/eva_publishers.h"
#include "nn/named.h"
#include "ops/compare.h"
#include "weights/checkpoint.h"

namespace nunchi::models {
namespace {

using nn::named;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::filesystem::path root = NUNCHI_SOURCE_DIR;

EvaConfig tiny() {
  EvaConfig config;
  config.image_size = {8, 12};
  config.patch = {4, 4};
  config.depth = 2;
  config.classes = 5;
  config.registers = 2;
  config.block = {.attention = {.dim = 16, .heads = 2, .key_bias = false},
                  .mlp = {.dim = 16, .hidden = 24, .gated = true, .norm_hidden = true},
                  .scale_attention = true,
                  .scale_mlp = true};
  config.rotary = {.head_dim = 8, .reference = nn::Grid{2, 2}, .prefix_tokens = 3};
  return config;
}

Source timm(const Json& arguments) { return {.publisher = Publisher::timm, .name = "Eva", .config = arguments}; }

Source dinov3(Json config) {
  config["model_type"] = "dinov3_vit";
  return {.name = "dinov3_vit", .config = config};
}

// --- every name that timm has

// Fewer keys and values than queries.
constexpr const char* refused[] = {"vit_5b_patch16_sapiens2", "vit_giant_patch16_sapiens2", "vit_huge_patch16_sapiens2",
                                   "vit_large_patch16_sapiens2"};

TEST(Eva, HasTheParametersOfTimm) {
  const Json table = read_json(root / "assets/models/timm.json"),
             counts = read_json(root / "tests/golden/architectures.json")["timm"];
  int built = 0, left_out = 0;
  for (const auto& [name, row] : table["architectures"].items()) {
    if (row["class"] != "Eva") continue;
    SCOPED_TRACE(name);
    if (std::ranges::count(refused, name) > 0) {
      ++left_out;
      EXPECT_THAT(error_of([&, &name = name] { build_named("timm/" + name); }), HasSubstr("num_kv_heads"));
      continue;
    }
    ++built;
    EXPECT_EQ(build_named("timm/" + name).model->parameter_count(), counts[name].get<std::int64_t>());
  }
  EXPECT_EQ(built, 61);
  EXPECT_EQ(left_out, 4);
}

TEST(Eva, HasTheParametersOfTransformers) {  // counted there, on shapes alone, less a mask token
  EXPECT_EQ(build(dinov3({{"num_register_tokens", 4}})).model->parameter_count(), 21'596'544 - 384);  // vits16
  EXPECT_EQ(build(dinov3({{"num_register_tokens", 4}, {"use_gated_mlp", true}, {"hidden_act", "silu"}}))
                .model->parameter_count(),
            28'692'864 - 384);  // vits16plus
  EXPECT_EQ(build(dinov3({{"num_register_tokens", 4},
                          {"hidden_size", 4096},
                          {"num_attention_heads", 32},
                          {"num_hidden_layers", 40},
                          {"intermediate_size", 8192},
                          {"use_gated_mlp", true},
                          {"hidden_act", "silu"},
                          {"query_bias", false},
                          {"value_bias", false}}))
                .model->parameter_count(),
            6'716'035'072 - 4096);  // vit7b16
}

TEST(Eva, HasThePublishedSizesOfItsPresets) {
  const Json counts = read_json(root / "tests/golden/architectures.json")["timm"];
  EXPECT_EQ(Eva(eva02_b14()).parameter_count(), counts["eva02_base_patch14_224"].get<std::int64_t>());
  EXPECT_EQ(Eva(dinov3_b16()).parameter_count(), counts["vit_base_patch16_dinov3"].get<std::int64_t>());
}

// --- the network

TEST(Eva, KeepsItsRotaryTablesWhileFrozenAndOfTheSizeAskedFor) {
  auto config = tiny();
  config.learned_frequencies = true;
  Eva eva(config);
  randomise(eva, 1);
  const Tensor small = random({1, 3, 8, 12}, 2), large = random({1, 3, 16, 8}, 3);
  const auto answer = [&](const Tensor& image) {
    const c10::InferenceMode inference;
    return eva.forward(image).logits;
  };
  const Tensor of_small = answer(small), of_large = answer(large);
  weights::freeze(eva, nn::Precision::fp32);
  for (int i = 0; i < 2; ++i) {
    EXPECT_LT(difference(answer(small), of_small), 1e-5);
    EXPECT_LT(difference(answer(large), of_large), 1e-5);
  }
  weights::thaw(eva);
  named(eva, "rope.freqs").mul_(3);
  const Tensor changed = answer(large);
  EXPECT_GT(difference(changed, of_large), 1e-3);
  weights::freeze(eva, nn::Precision::fp32);
  EXPECT_LT(difference(answer(large), changed), 1e-5);
}

TEST(Eva, SeesTheOrderOfPatchesByItsRotaryEmbeddingAlone) {
  auto config = tiny();
  config.positions = false;
  const Tensor image = random({1, 3, 8, 12}, 2);
  const Tensor exchanged = at::cat({image.slice(3, 4, 12), image.slice(3, 0, 4)}, 3);  // columns of patches
  const auto moved = [&] {
    Eva eva(config);
    randomise(eva, 1);
    return difference(eva.forward(exchanged).logits, eva.forward(image).logits);
  };
  EXPECT_GT(moved(), 1e-3);
  config.rotary.reset();
  EXPECT_LT(moved(), 1e-5);
}

TEST(Eva, StaysInBf16AfterEveryBlock) {  // rule 5 of the engine
  Eva eva(tiny());
  randomise(eva, 1);
  weights::freeze(eva, nn::Precision::bf16);
  const c10::InferenceMode inference;
  for (const auto height : {8, 16}) {
    const auto output = eva.forward(random({1, 3, height, 12}, 2, at::kBFloat16), {.hidden_states = true});
    ASSERT_EQ(output.hidden_states.size(), 3u);
    for (const auto& state : output.hidden_states) EXPECT_EQ(state.scalar_type(), at::kBFloat16);
    EXPECT_EQ(output.logits.scalar_type(), at::kBFloat16);
  }
}

TEST(Eva, HasAGradientForEveryParameter) {
  auto config = tiny();
  config.learned_frequencies = true;
  Eva eva(config);
  randomise(eva, 1);
  for (const auto& [name, slot] : eva.tensors()) slot->tensor->set_requires_grad(true);
  eva.forward(random({2, 3, 8, 12}, 2)).logits.pow(2).sum().backward();
  for (const auto& [name, slot] : eva.tensors()) {
    ASSERT_TRUE(slot->tensor->grad().defined()) << name;
    EXPECT_GT(slot->tensor->grad().abs().max().item<double>(), 0) << name;
  }
}

TEST(Eva, CountsItsWorkOnShapesAlone) {
  auto config = tiny();
  config.depth = 1;
  config.learned_frequencies = true;
  Eva eva(config);
  const std::int64_t n = 3 + 6, patches = 6 * 16 * 48, block = n * 16 * 64 + 2 * n * n * 16 + n * 16 * 24 * 3;
  EXPECT_EQ(count_macs(eva, eva.input_shape()), patches + block + 16 * 5);
}

TEST(Eva, CutsRefusesOrPadsWhatDoesNotDivideIntoPatches) {
  auto config = tiny();
  const auto grid_at = [&](EvaConfig::Rest rest) {
    config.rest = rest;
    Eva eva(config);
    randomise(eva, 1);
    return eva.forward(random({1, 3, 10, 13}, 2)).grid;
  };
  EXPECT_EQ(grid_at(EvaConfig::Rest::cut), (nn::Grid{2, 3}));
  EXPECT_EQ(grid_at(EvaConfig::Rest::pad), (nn::Grid{3, 4}));
  EXPECT_THAT(error_of([&] { grid_at(EvaConfig::Rest::refuse); }),
              AllOf(HasSubstr("whole patches of 4 x 4"), HasSubstr("[1, 3, 10, 13]")));
}

TEST(Eva, RefusesWhatIsNoPicture) {
  Eva eva(tiny());
  EXPECT_THAT(error_of([&] { eva.forward(at::zeros({1, 4, 8, 12})); }), HasSubstr("[b, 3, h, w]"));
  EXPECT_THAT(error_of([&] { eva.forward(at::zeros({3, 8, 12})); }), HasSubstr("[b, 3, h, w]"));
}

// --- its publishers

TEST(EvaOfTimm, RefusesByNameWhatItDoesNotHave) {
  const std::pair<const char*, const char*> refusals[] = {
      {R"({"use_rot_pos_emb": true, "rope_type": "mrope"})", "rope_type"},
      {R"({"use_rot_pos_emb": true, "rope_type": "mixed", "rope_rotate_half": true})", "rope_rotate_half"},
      {R"({"use_rot_pos_emb": true, "rope_grid_indexing": "yx"})", "rope_grid_indexing"},
      {R"({"num_kv_heads": 6})", "num_kv_heads"},
      {R"({"num_kv_heads": [12, 6]})", "num_kv_heads"},
      {R"({"attn_type": "gated"})", "attn_type"},
      {R"({"norm_layer": "BatchNorm2d"})", "norm_layer"},
      {R"({"global_pool": "prr"})", "global_pool"},
      {R"({"global_pool": ""})", "global_pool"},
      {R"({"global_pool": "token", "class_token": false})", "class_token"},
      {R"({"gated_attn": true})", "gated_attn"},
  };
  for (const auto& [arguments, named_argument] : refusals) {
    EXPECT_THAT(error_of([&, &text = arguments] { build(timm(Json::parse(text))); }),
                AllOf(HasSubstr("timm's Eva"), HasSubstr(std::string("\"") + named_argument)))
        << arguments;
  }
  EXPECT_NO_THROW(build(timm({{"num_kv_heads", 12}, {"depth", 1}, {"patch_drop_rate", 0.5}})));
}

TEST(EvaOfTimm, TakesItsSizesFromABareStateDict) {
  Source source = timm({{"embed_dim", 768},
                        {"num_heads", 96},
                        {"swiglu_mlp", true},
                        {"scale_mlp", true},
                        {"qkv_fused", false},
                        {"num_reg_tokens", 4},
                        {"init_values", 1.0}});
  auto config = tiny();
  config.image_size = {12, 12};
  Eva small(config);
  const auto keys = describe_timm_eva(source).keys;
  for (const auto& [name, slot] : small.tensors()) {
    const auto names = keys.their_names(name, "");
    Shape shape = slot->shape;
    shape[0] /= static_cast<std::int64_t>(names.size());
    for (const auto& theirs : names) source.shapes[theirs] = shape;
  }
  source.sizes_from_shapes = true;
  const auto found = describe_timm_eva(source).config;
  EXPECT_EQ(found.image_size, config.image_size);
  EXPECT_EQ(found.block.attention.heads, 2);
  EXPECT_EQ(found.registers, 2);
  EXPECT_EQ(Eva(found).parameter_count(), small.parameter_count());
}

TEST(Dinov3, LeavesOutTheBiasesThatItsConfigurationLeavesOut) {
  const auto names = [](const Json& config) {
    const auto built = build(dinov3(config));
    std::vector<std::string> all;
    for (const auto& [name, slot] : built.model->tensors()) {
      if (name.starts_with("blocks.0.attn.q") && name.ends_with("bias"))
        std::ranges::copy(built.keys.their_names(name, ""), std::back_inserter(all));
    }
    return all;
  };
  const std::string layer = "layer.0.attention.";
  EXPECT_THAT(names(Json::object()), ElementsAre(layer + "q_proj.bias"));  // values have theirs beside it
  EXPECT_THAT(names({{"query_bias", false}}), ElementsAre("0", "0", layer + "v_proj.bias"));
  EXPECT_THAT(names({{"key_bias", true}, {"value_bias", false}}),
              ElementsAre(layer + "q_proj.bias", layer + "k_proj.bias", "0"));
  EXPECT_THAT(names({{"query_bias", false}, {"value_bias", false}}), IsEmpty());
}

TEST(Dinov3, RefusesAbsurdSizes) {
  for (const std::string text :
       {R"({"hidden_size": -1})", R"({"image_size": 8})", R"({"patch_size": 0})", R"({"num_hidden_layers": 100000})",
        R"({"num_attention_heads": 7})", R"({"hidden_act": "none_such"})", R"({"num_register_tokens": -2})"}) {
    EXPECT_NE(error_of([&] { build(dinov3(Json::parse(text))); }), "") << text;
  }
}

}  // namespace
}  // namespace nunchi::models
