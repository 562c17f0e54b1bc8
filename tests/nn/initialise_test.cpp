#include "nn/initialise.h"

#include "nn/conv_norm.h"
#include "nn/named.h"
#include "nn/norm.h"
#include "nn/patch_embed.h"
#include "ops/compare.h"

namespace nunchi::nn {
namespace {

double deviation(const Tensor& t) { return t.to(at::kDouble).std().item<double>(); }
double largest(const Tensor& t) { return t.abs().max().item<double>(); }

TEST(Initialise, DrawsLinearWeightsWithDeviationTwoHundredths) {  // R015
  Linear layer(768, 3072);
  layer.initialise(seeded(1));
  EXPECT_NEAR(deviation(layer.weights.weight), .0200, .0005);
  EXPECT_NEAR(layer.weights.weight.mean().item<double>(), 0, 1e-4);
  EXPECT_EQ(largest(layer.weights.bias), 0);
}

TEST(Initialise, LeavesNormsNeutral) {  // R015
  LayerNorm norm(768, 1e-6);
  norm.initialise(seeded(1));
  EXPECT_EQ(norm.weights.weight.min().item<double>(), 1);
  EXPECT_EQ(norm.weights.weight.max().item<double>(), 1);
  EXPECT_EQ(largest(norm.weights.bias), 0);
}

TEST(Initialise, GivesThePatchConvolutionItsDefault) {  // R015: uniform, standard deviation 0.0208
  PatchEmbed layer(3, {16, 16}, 768);
  layer.initialise(seeded(1));
  EXPECT_NEAR(deviation(layer.weights.weight), .0208, .0002);
  EXPECT_LE(largest(layer.weights.weight), 1 / std::sqrt(768.0));
}

TEST(Initialise, GivesConvolutionsTheVarianceOfHeEtAl) {
  ConvNorm layer({.in = 64, .out = 128, .kernel = 3});
  layer.initialise(seeded(1));
  EXPECT_NEAR(deviation(named(layer, "convolution.weight")), std::sqrt(2.0 / (128 * 9)), 5e-4);
  EXPECT_EQ(named(layer, "normalization.running_var").min().item<double>(), 1);
  EXPECT_EQ(largest(named(layer, "normalization.running_mean")), 0);
}

TEST(Initialise, RepeatsWithItsSeed) {
  const auto weight = [](std::uint64_t seed) {
    Linear layer(8, 8);
    layer.initialise(seeded(seed));
    return layer.weights.weight;
  };
  EXPECT_TRUE(same(weight(1), weight(1)));
  EXPECT_FALSE(same(weight(1), weight(2)));
}

}  // namespace
}  // namespace nunchi::nn
