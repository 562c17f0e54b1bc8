#include "models/beit.h"

#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include "core/in_child.h"
#include "models/architectures.h"
#include "models/beit_publishers.h"
#include "nn/named.h"
#include "ops/compare.h"
#include "weights/checkpoint.h"

namespace nunchi::models {
namespace {

using nn::named;
using testing::AllOf;
using testing::HasSubstr;

const std::filesystem::path root = NUNCHI_SOURCE_DIR;

BeitConfig tiny() {
  BeitConfig config;
  config.image_size = {8, 12};
  config.patch = {4, 4};
  config.dim = 16;
  config.depth = 2;
  config.heads = 2;
  config.mlp_dim = 32;
  config.classes = 5;
  return config;
}

Source timm(const Json& arguments) { return {.publisher = Publisher::timm, .name = "Beit", .config = arguments}; }

Source transformers(Json config, const std::vector<std::string>& keys = {}) {
  Source source{.name = get_or<std::string>(config, "model_type", "beit"), .config = config};
  for (const auto& key : keys) source.shapes[key] = {};
  return source;
}

TEST(Beit, HasTheParametersOfTimm) {
  const Json table = read_json(root / "assets/models/timm.json"),
             counts = read_json(root / "tests/golden/architectures.json")["timm"];
  int built = 0;
  for (const auto& [name, row] : table["architectures"].items()) {
    if (row["class"] != "Beit") continue;
    ++built;
    EXPECT_EQ(build_named("timm/" + name).model->parameter_count(), counts[name].get<std::int64_t>()) << name;
  }
  EXPECT_EQ(built, 7);
}

TEST(Beit, HasTheParametersOfTransformers) {  // counted there, on shapes alone
  Json base = {{"model_type", "beit"},
               {"architectures", {"BeitForImageClassification"}},
               {"num_labels", 1000},
               {"use_relative_position_bias", true}};
  EXPECT_EQ(build(transformers(base)).model->parameter_count(), 86'530'984);  // beit-base-patch16-224
  Json large = base;
  large.update({{"hidden_size", 1024},
                {"num_hidden_layers", 24},
                {"num_attention_heads", 16},
                {"intermediate_size", 4096},
                {"image_size", 512}});
  EXPECT_EQ(build(transformers(large)).model->parameter_count(), 305'674'728);  // beit-large-patch16-512
  const Json data2vec = {{"model_type", "data2vec-vision"}, {"use_shared_relative_position_bias", true}};
  EXPECT_EQ(build(transformers(data2vec, {"embeddings.cls_token"})).model->parameter_count(),
            85'663'824);  // data2vec-vision-base
}

TEST(Beit, NamesItsTensorsAsTimmDoes) {
  auto config = tiny();
  config.shared_relative_bias = config.positions = true;
  Beit beit(config);
  EXPECT_EQ(named(beit, "blocks.0.attn.relative_position_bias_table").sizes(), at::IntArrayRef({3 * 5 + 3, 2}));
  EXPECT_EQ(named(beit, "rel_pos_bias.relative_position_bias_table").sizes(), at::IntArrayRef({3 * 5 + 3, 2}));
  EXPECT_EQ(named(beit, "blocks.1.attn.q_bias").sizes(), at::IntArrayRef({16}));
  EXPECT_EQ(named(beit, "blocks.1.attn.v_bias").sizes(), at::IntArrayRef({16}));
  EXPECT_EQ(named(beit, "blocks.1.gamma_2").sizes(), at::IntArrayRef({16}));
  EXPECT_EQ(named(beit, "pos_embed").sizes(), at::IntArrayRef({1, 7, 16}));
  EXPECT_THROW(named(beit, "blocks.0.attn.qkv.bias"), std::out_of_range);
}

// A table that holds its own row numbers shows which row each pair of tokens reads.
TEST(RelativeBias, ReadsARowForEachWayAndThreeForTheClassToken) {
  RelativeBias bias({2, 3}, 1, Resampling::spread);
  Tensor& table = named(bias, "relative_position_bias_table");
  table = at::zeros({18, 1});
  for (std::int64_t row = 0; row < 18; ++row) table[row][0] = row;
  const Tensor rows = bias.forward({2, 3})[0][0];
  EXPECT_EQ(rows.sizes(), at::IntArrayRef({7, 7}));
  const auto row = [&](std::int64_t to, std::int64_t from) { return rows[to][from].item<double>(); };
  EXPECT_EQ(row(0, 0), 17);
  EXPECT_EQ(row(0, 4), 15);  // class to patch
  EXPECT_EQ(row(4, 0), 16);  // patch to class
  EXPECT_EQ(row(3, 3), 7);   // the middle of 3 x 5
  EXPECT_EQ(row(1, 6), 0);   // furthest up and left
  EXPECT_EQ(row(6, 1), 14);
  EXPECT_EQ(row(1, 2), 6);
  EXPECT_EQ(row(4, 1), 12);
}

TEST(RelativeBias, OfAFrozenModelFollowsItsTable) {
  Beit beit(tiny());
  randomise(beit, 1);
  const Tensor image = random({1, 3, 8, 12}, 2);
  const auto answer = [&] {
    const c10::InferenceMode inference;
    return beit.forward(image).logits;
  };
  weights::freeze(beit, nn::Precision::fp32);
  const Tensor before = answer();
  EXPECT_TRUE(same(answer(), before));
  weights::thaw(beit);
  EXPECT_LT(difference(answer(), before), 1e-5);
  const Tensor changed = random({18, 2}, 3);
  named(beit, "blocks.0.attn.relative_position_bias_table").copy_(changed);
  const Tensor after = answer();
  EXPECT_GT(difference(after, before), 1e-3);
  weights::freeze(beit, nn::Precision::fp32);
  EXPECT_LT(difference(answer(), after), 1e-5);
}

TEST(RelativeBias, OfAFrozenModelIsThatOfTheSizeAskedFor) {
  auto config = tiny();
  config.image_size = {8, 8};
  Beit beit(config);
  randomise(beit, 1);
  const Tensor small = random({1, 3, 8, 8}, 2), large = random({1, 3, 12, 8}, 3);
  const c10::InferenceMode inference;
  const Tensor of_small = beit.forward(small).logits, of_large = beit.forward(large).logits;
  {
    const c10::InferenceMode outside(false);
    weights::freeze(beit, nn::Precision::fp32);
  }
  for (int i = 0; i < 2; ++i) {
    EXPECT_LT(difference(beit.forward(small).logits, of_small), 1e-5);
    EXPECT_LT(difference(beit.forward(large).logits, of_large), 1e-5);
  }
}

TEST(Beit, StaysInBf16AfterEveryBlock) {  // rule 5 of the engine
  auto config = tiny();
  config.shared_relative_bias = config.positions = true;
  Beit beit(config);
  randomise(beit, 1);
  weights::freeze(beit, nn::Precision::bf16);
  const c10::InferenceMode inference;
  const auto output = beit.forward(random({1, 3, 16, 12}, 2, at::kBFloat16), {.hidden_states = true});
  ASSERT_EQ(output.hidden_states.size(), 3u);
  for (const auto& state : output.hidden_states) EXPECT_EQ(state.scalar_type(), at::kBFloat16);
  EXPECT_EQ(output.logits.scalar_type(), at::kBFloat16);
}

TEST(Beit, CountsItsWorkOnShapesAlone) {
  auto config = tiny();
  config.depth = 1;
  Beit beit(config);
  // patches, then per block: q, k, v and output; scores and sums; the MLP; last the head.
  const std::int64_t n = 7, patches = 6 * 16 * 48, block = n * 16 * 64 + 2 * n * n * 16 + n * 16 * 64;
  EXPECT_EQ(count_macs(beit, beit.input_shape()), patches + block + 16 * 5);
}

TEST(Beit, RefusesPicturesSmallerThanAPatch) {
  Beit beit(tiny());
  EXPECT_THAT(error_of([&] {
                beit.forward(at::zeros({1, 3, 8, 3}));
              }),
              AllOf(HasSubstr("at least 4 x 4 pixels"), HasSubstr("[1, 3, 8, 3]")));
}

TEST(BeitOfTimm, RefusesByNameWhatItDoesNotHave) {
  for (const auto& [argument, value] : {std::pair<std::string, Json>{"global_pool", "max"},
                                        {"norm_layer", "RmsNorm"},
                                        {"rope_type", "cat"},
                                        {"attn_head_dim", 7}}) {
    EXPECT_THAT(error_of([&, &argument = argument, &value = value] {
                  build(timm({{argument, value}}));
                }),
                AllOf(HasSubstr("timm's Beit"), HasSubstr("\"" + argument + "\" = " + value.dump())));
  }
  EXPECT_NO_THROW(build(timm({{"drop_path_rate", 0.1}, {"init_values", nullptr}, {"depth", 1}})));
}

TEST(BeitOfTimm, TakesItsSizesFromABareStateDict) {
  Source source = timm({{"use_abs_pos_emb", false}, {"use_rel_pos_bias", true}, {"init_values", 0.1}});
  auto config = tiny();
  config.image_size = {12, 12};
  config.heads = 4;
  Beit small(config);
  for (const auto& [name, slot] : small.tensors()) source.shapes[name] = slot->shape;
  source.sizes_from_shapes = true;
  const auto found = beit_config_from_timm(source);
  EXPECT_EQ(found.image_size, config.image_size);
  EXPECT_EQ(found.heads, 4);
  EXPECT_EQ(found.depth, 2);
  EXPECT_EQ(found.classes, 5);
  EXPECT_EQ(Beit(found).parameter_count(), small.parameter_count());
  source.classes = 0;
  EXPECT_EQ(beit_config_from_timm(source).classes, 0);
}

TEST(BeitOfTransformers, PoolsWhereItsFileHasAPooler) {
  const Json model = {{"model_type", "beit"}, {"architectures", {"BeitModel"}}};
  using Pool = BeitConfig::Pool;
  EXPECT_EQ(beit_config_from_transformers(transformers(model, {"pooler.layernorm.weight"})).pool, Pool::mean);
  EXPECT_EQ(beit_config_from_transformers(transformers(model, {"embeddings.cls_token"})).pool, Pool::none);
  Json by_class_token = model;
  by_class_token["use_mean_pooling"] = false;
  EXPECT_EQ(beit_config_from_transformers(transformers(by_class_token, {"layernorm.weight"})).pool, Pool::cls);
}

TEST(BeitOfTransformers, TellsItsLastNormFromThatOfTheHeadForMaskedPatches) {
  const Json config = {{"model_type", "beit"}, {"use_mean_pooling", false}, {"num_hidden_layers", 1}};
  const auto keys = build(transformers(config, {"beit.layernorm.weight", "layernorm.weight", "lm_head.weight"})).keys;
  EXPECT_EQ(keys.their_names("norm.weight", "beit."), std::vector<std::string>{"beit.layernorm.weight"});
  EXPECT_TRUE(keys.is_dropped("layernorm.weight", "beit."));
  EXPECT_TRUE(keys.is_dropped("lm_head.bias", "beit."));
  const auto plain = build(transformers(config, {"layernorm.weight"})).keys;
  EXPECT_FALSE(plain.is_dropped("layernorm.weight", ""));
}

TEST(BeitOfTransformers, RefusesAbsurdSizes) {
  for (const std::string text :
       {R"({"hidden_size": -1})", R"({"image_size": 8})", R"({"patch_size": 0})", R"({"num_hidden_layers": 100000})",
        R"({"num_attention_heads": 7})", R"({"hidden_act": "none_such"})", R"({"image_size": 1000000})"}) {
    EXPECT_NE(error_of([&] { build(transformers(Json::parse(text))); }), "") << text;
  }
}

}  // namespace
}  // namespace nunchi::models
