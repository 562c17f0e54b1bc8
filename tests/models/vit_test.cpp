#include "models/vit.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include "core/in_child.h"
#include "nn/initialise.h"
#include "nn/named.h"
#include "ops/compare.h"

namespace nunchi::models {
namespace {

using nn::named;
using testing::AllOf;
using testing::HasSubstr;

VitConfig tiny() {
  return {.image_size = {16, 24}, .patch = {4, 4}, .dim = 16, .depth = 2, .heads = 2, .mlp_dim = 32, .classes = 5};
}

std::int64_t parameters(const VitConfig& config) { return Vit(config).parameter_count(); }

// Moves the patches of a picture, rows first, into another order.
Tensor shuffled(const Tensor& image, std::int64_t patch) {
  const auto b = image.size(0), c = image.size(1), rows = image.size(2) / patch, columns = image.size(3) / patch;
  const Tensor patches =
      image.view({b, c, rows, patch, columns, patch}).permute({0, 2, 4, 1, 3, 5}).flatten(1, 2).flip({1}).roll(3, 1);
  return patches.view({b, rows, columns, c, patch, patch}).permute({0, 3, 1, 4, 2, 5}).reshape_as(image);
}

// The tiny published size, with one block.
VitConfig one_block() { return {.dim = 192, .depth = 1, .heads = 3, .mlp_dim = 768}; }

VitConfig distilled(VitConfig config) {
  config.distillation = config.teacher_head = true;
  return config;
}

TEST(Vit, HasThePublishedParameterCounts) {  // R013, R016; all the others: vit_publishers_test.cpp
  EXPECT_EQ(parameters({}), 86'567'656);
  EXPECT_EQ(parameters(distilled({})), 87'338'192);
  EXPECT_EQ(parameters({.classes = 10}), 85'806'346);
}

TEST(Vit, HasTheVariantOfTheFirstSeed) {  // R013: no qkv bias, norms around the patches, the last norm inside the head
  VitConfig config;
  config.qkv_bias = false;
  config.patch_norms = config.norm_after_pooling = true;
  EXPECT_EQ(parameters(config), 86'543'080);
}

TEST(Vit, ClassifiesTwoPictures) {  // R014
  Vit vit(VitConfig{});
  vit.initialise(nn::seeded(1));
  const c10::InferenceMode inference;
  const Tensor image = random({2, 3, 224, 224}, 1), logits = vit.forward(image).logits;
  EXPECT_EQ(image.sizes(), at::IntArrayRef({2, 3, 224, 224}));
  EXPECT_EQ(logits.sizes(), at::IntArrayRef({2, 1000}));
  EXPECT_TRUE(all_finite(logits));
  EXPECT_EQ(vit.parameter_count(), 86'567'656);
}

TEST(Vit, HasATokenPerPatchAndOneForTheClass) {  // R010, R019: 14 x 14 patches and the class token
  Vit vit(one_block());
  vit.initialise(nn::seeded(1));
  const c10::InferenceMode inference;
  const auto output = vit.forward(random({1, 3, 224, 224}, 1), {.hidden_states = true, .attentions = true});
  EXPECT_EQ(output.grid, (nn::Grid{14, 14}));
  EXPECT_EQ(output.prefix_tokens, 1);
  ASSERT_EQ(output.hidden_states.size(), 2u);
  EXPECT_EQ(output.hidden_states[0].sizes(), at::IntArrayRef({1, 197, 192}));
  EXPECT_EQ(output.last_hidden_state.sizes(), at::IntArrayRef({1, 197, 192}));
  EXPECT_EQ(output.attentions.at(0).sizes(), at::IntArrayRef({1, 3, 197, 197}));
}

TEST(Vit, ReadsTheClassTokenAfterTheLastNorm) {  // R012
  Vit vit(tiny());
  randomise(vit, 1);
  const auto output = vit.forward(random({2, 3, 16, 24}, 2), {.hidden_states = true});
  const Tensor normed =
      ops::layer_norm(output.hidden_states.back(), {named(vit, "norm.weight"), named(vit, "norm.bias"), 1e-6});
  EXPECT_LT(difference(output.last_hidden_state, normed), 1e-6);
  const Tensor logits = normed.select(1, 0).matmul(named(vit, "head.weight").t()) + named(vit, "head.bias");
  EXPECT_LT(difference(output.logits, logits), 1e-5);
}

TEST(Vit, PoolsThePatchesWithoutTheOtherTokens) {  // R010
  VitConfig config = tiny();
  config.pooling = Pooling::mean;
  config.registers = 3;
  Vit vit(config);
  randomise(vit, 1);
  const auto output = vit.forward(random({2, 3, 16, 24}, 2));
  EXPECT_EQ(output.prefix_tokens, 4);
  EXPECT_EQ(output.last_hidden_state.sizes(), at::IntArrayRef({2, 4 + 24, 16}));
  Tensor mean = at::zeros({2, 16});
  for (std::int64_t i = 4; i < 28; ++i) mean = mean + output.last_hidden_state.select(1, i) / 24;
  EXPECT_LT(difference(output.logits, mean.matmul(named(vit, "head.weight").t()) + named(vit, "head.bias")), 1e-5);
}

TEST(Vit, NormalisesAfterPoolingWhereAsked) {  // R013, the first seed
  VitConfig config = tiny();
  config.norm_after_pooling = true;
  Vit vit(config);
  randomise(vit, 1);
  const auto output = vit.forward(random({2, 3, 16, 24}, 2), {.hidden_states = true});
  EXPECT_TRUE(same(output.last_hidden_state, output.hidden_states.back()));
  const Tensor pooled = ops::layer_norm(output.last_hidden_state.select(1, 0),
                                        {named(vit, "fc_norm.weight"), named(vit, "fc_norm.bias"), 1e-6});
  EXPECT_LT(difference(output.logits, pooled.matmul(named(vit, "head.weight").t()) + named(vit, "head.bias")), 1e-5);
}

TEST(Vit, AveragesBothHeadsOfDeit) {  // R021
  Vit vit(distilled(tiny()));
  randomise(vit, 1);
  const auto output = vit.forward(random({2, 3, 16, 24}, 2));
  const Tensor& tokens = output.last_hidden_state;
  const auto head = [&](const std::string& name, std::int64_t token) {
    return tokens.select(1, token).matmul(named(vit, name + ".weight").t()) + named(vit, name + ".bias");
  };
  EXPECT_EQ(output.prefix_tokens, 2);
  EXPECT_LT(difference(output.further.at("cls_logits"), head("head", 0)), 1e-5);
  EXPECT_LT(difference(output.further.at("distillation_logits"), head("head_dist", 1)), 1e-5);
  EXPECT_LT(difference(output.logits, (head("head", 0) + head("head_dist", 1)) / 2), 1e-5);
}

TEST(Vit, SeesTheOrderOfPatchesOnlyByItsPositions) {  // R006
  for (const auto positions : {Positions::learned, Positions::sinusoidal, Positions::none}) {
    for (const auto pooling : {Pooling::cls, Pooling::mean}) {
      VitConfig config = tiny();
      config.positions = positions;
      config.pooling = pooling;
      Vit vit(config);
      randomise(vit, 1);
      const Tensor image = random({2, 3, 16, 24}, 2);
      const double moved = difference(vit.forward(shuffled(image, 4)).logits, vit.forward(image).logits);
      if (positions == Positions::none) {
        EXPECT_LT(moved, 1e-5);
      } else {
        EXPECT_GT(moved, 1e-3);
      }
    }
  }
}

TEST(Vit, HasNoPositionsWithAZeroTable) {  // R005
  Vit learned(tiny());
  randomise(learned, 1);
  named(learned, "pos_embed").zero_();
  VitConfig config = tiny();
  config.positions = Positions::none;
  Vit none(config);
  for (const auto& [name, slot] : none.tensors()) *slot->tensor = named(learned, name);
  const Tensor image = random({2, 3, 16, 24}, 2);
  EXPECT_TRUE(same(learned.forward(image).logits, none.forward(image).logits));
}

TEST(VitBlock, IsTheIdentityWithZeroProjections) {  // R012
  VitBlock block(tiny());
  randomise(block, 1);
  for (const std::string layer : {"attn.proj", "mlp.fc2"}) {
    named(block, layer + ".weight").zero_();
    named(block, layer + ".bias").zero_();
  }
  const Tensor x = random({2, 5, 16}, 2);
  EXPECT_TRUE(same(block.forward(x), x));
}

TEST(VitBlock, AddsTheBranchesOfThePreNormForm) {  // R012: z + MSA(LN z), then z + MLP(LN z), each scaled where asked
  VitConfig config = tiny();
  config.layer_scale = true;
  VitBlock block(config);
  randomise(block, 1);
  const Tensor x = random({2, 5, 16}, 2);
  const Tensor z = x + named(block, "ls1.gamma") * block.attn.forward(block.norm1.forward(x));
  const Tensor expected = z + named(block, "ls2.gamma") * block.mlp.forward(block.norm2.forward(z));
  EXPECT_LT(difference(block.forward(x), expected), 1e-5);
}

TEST(Vit, TakesOtherSizesByInterpolatingItsPositions) {
  for (const auto positions : {Positions::learned, Positions::sinusoidal, Positions::none}) {
    VitConfig config = tiny();
    config.positions = positions;
    config.registers = 2;
    Vit vit(config);
    randomise(vit, 1);
    for (const auto& [h, w] : {std::pair{4, 4}, {32, 8}, {17, 31}, {24, 16}}) {
      const auto output = vit.forward(random({1, 3, h, w}, 2));
      EXPECT_EQ(output.grid, (nn::Grid{h / 4, w / 4}));
      EXPECT_EQ(output.last_hidden_state.size(1), 3 + (h / 4) * (w / 4));
      EXPECT_TRUE(all_finite(output.logits));
    }
  }
}

TEST(Vit, RefusesPicturesThatItCannotTake) {
  Vit vit(tiny());
  randomise(vit, 1);
  EXPECT_THAT(error_of([&] {
                vit.forward(random({1, 4, 16, 24}, 1));
              }),
              AllOf(HasSubstr("[b, 3, h, w]"), HasSubstr("[1, 4, 16, 24]")));
  EXPECT_THAT(error_of([&] { vit.forward(random({1, 3, 3, 24}, 1)); }), HasSubstr("at least 4 x 4"));
  EXPECT_THAT(error_of([&] { vit.forward(random({3, 16, 24}, 1)); }), HasSubstr("[3, 16, 24]"));
}

TEST(Vit, RefusesHeadsThatDoNotDivide) {  // R002
  VitConfig config = tiny();
  config.heads = 3;
  EXPECT_THAT(error_of([&] { Vit vit(config); }), HasSubstr("3 heads do not divide a width of 16"));
}

TEST(Vit, InitialisesByThePolicyOfDeit) {  // R005, R015: positions of deviation 0.02 do not swamp the patches
  VitConfig config = one_block();
  config.layer_scale = true;
  Vit vit(config);
  vit.initialise(nn::seeded(1));
  EXPECT_NEAR(named(vit, "pos_embed").std().item<double>(), .02, .0005);
  EXPECT_LT(named(vit, "cls_token").abs().max().item<double>(), .1);
  EXPECT_NEAR(named(vit, "blocks.0.attn.qkv.weight").std().item<double>(), .02, .0005);
  EXPECT_EQ(named(vit, "head.bias").abs().max().item<double>(), 0);
  const Tensor gamma = named(vit, "blocks.0.ls1.gamma");
  EXPECT_GT(gamma.min().item<double>(), 0) << "a layer scale starts as one small constant";
  EXPECT_EQ(gamma.min().item<double>(), gamma.max().item<double>());
}

}  // namespace
}  // namespace nunchi::models
