#include "nn/module.h"

#include <gmock/gmock.h>

#include "nn/linear.h"
#include "nn/named.h"
#include "nn/norm.h"
#include "ops/compare.h"

namespace nunchi::nn {
namespace {

using testing::ElementsAre;

struct Toy : Module {
  Toy() {
    parameter("token", token, {1, 1, 4});
    buffer("seen", seen, {}, at::kLong);
    child("layers", layers);
    layers.add(4, 6);
    layers.add(6, 4, /*bias=*/false);
    child("norm", norm);
  }
  Tensor token, seen;
  List<Linear> layers;
  LayerNorm norm{4, 1e-6};
};

TEST(Module, NamesItsTensorsInTheOrderOfTheirRegistration) {
  Toy toy;
  std::vector<std::string> names;
  for (const auto& [name, slot] : toy.tensors()) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("token", "seen", "layers.0.weight", "layers.0.bias", "layers.1.weight", "norm.weight",
                                 "norm.bias"));
}

TEST(Module, CountsTrainableNumbers) {
  Toy toy;
  EXPECT_EQ(toy.parameter_count(), 4 + (24 + 6) + 24 + 8);
}

TEST(Module, HasNoMemoryUntilItHasValues) {
  Toy toy;
  for (const auto& [name, slot] : toy.tensors()) EXPECT_TRUE(slot->tensor->is_meta()) << name;
  Linear enormous(1 << 20, 1 << 20);  // 4 TB
  EXPECT_EQ(enormous.parameter_count(), (1LL << 40) + (1 << 20));
}

TEST(Module, TrainsWithItsChildren) {
  Toy toy;
  EXPECT_FALSE(toy.is_training());
  toy.train(true);
  EXPECT_TRUE(toy.layers[1].is_training() && toy.norm.is_training());
  toy.train(false);
  EXPECT_FALSE(toy.layers[1].is_training() || toy.norm.is_training());
}

TEST(Module, CastsSmallTensorsWhenFrozenAndBringsTheOriginalsBack) {
  Toy toy;
  randomise(toy, 1);
  const Tensor token = toy.token, gamma = toy.norm.weights.weight;
  toy.freeze({.precision = Precision::bf16});
  EXPECT_TRUE(same(toy.token, token.to(at::kBFloat16)));
  EXPECT_EQ(toy.norm.weights.weight.scalar_type(), at::kBFloat16);
  EXPECT_EQ(toy.seen.scalar_type(), at::kLong);
  EXPECT_EQ(toy.layers[0].weights.bias.scalar_type(), at::kBFloat16);
  toy.thaw();
  EXPECT_TRUE(toy.token.is_same(token));
  EXPECT_TRUE(toy.norm.weights.weight.is_same(gamma));
}

TEST(Module, DoesNotKeepWhatTheFileHolds) {
  Toy toy;
  randomise(toy, 1);
  slot_named(toy, "token").in_file = true;
  int released = 0;
  toy.freeze({.precision = Precision::bf16, .on_release = [&](const Tensor&) { ++released; }});
  EXPECT_EQ(released, 1);
  EXPECT_FALSE(slot_named(toy, "token").original.defined());
  EXPECT_TRUE(slot_named(toy, "norm.bias").original.defined());
}

TEST(Module, FreezesInFp32WithoutCopies) {
  Toy toy;
  randomise(toy, 1);
  const Tensor token = toy.token;
  toy.freeze({});
  EXPECT_TRUE(toy.token.is_same(token));
}

}  // namespace
}  // namespace nunchi::nn
