#include "nn/patch_embed.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/im2col.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include <chrono>

#include "core/in_child.h"
#include "nn/named.h"
#include "ops/compare.h"

namespace nunchi::nn {
namespace {

using testing::HasSubstr;

double milliseconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

// The convolution's weight [dim, c, h, w] for patches whose elements are ordered (row, column, channel).
Tensor for_rearranged(const Tensor& weight) { return weight.permute({0, 2, 3, 1}).flatten(1).contiguous(); }

// Every pixel holds the number of its patch, rows first.
Tensor numbered_patches(std::int64_t grid, std::int64_t patch) {
  const Tensor numbers = at::arange(grid * grid, at::kFloat).view({1, 1, grid, 1, grid, 1});
  return numbers.expand({1, 3, grid, patch, grid, patch}).reshape({1, 3, grid * patch, grid * patch});
}

bool constant_rows(const Tensor& patches) { return (patches.amax({2}) == patches.amin({2})).all().item<bool>(); }

TEST(PatchEmbed, EqualsUnfoldAndMatrixProduct) {  // R008
  PatchEmbed layer(3, {16, 16}, 768);
  randomise(layer, 1);
  const Tensor image = random({2, 3, 224, 224}, 2);
  Tensor tokens, expected;
  const double convolution = milliseconds([&] { tokens = layer.forward(image); });
  const double unfold = milliseconds([&] {
    const Tensor columns = at::im2col(image, {16, 16}, {1, 1}, {0, 0}, {16, 16});  // [b, 768, 196]
    expected = columns.transpose(1, 2).matmul(layer.weights.weight.flatten(1).t()) + layer.weights.bias;
  });
  EXPECT_EQ(tokens.sizes(), at::IntArrayRef({2, 196, 768}));
  EXPECT_LT(difference(tokens, expected), 1e-5);
  std::cout << "patch embedding of two pictures: convolution " << convolution << " ms, unfold " << unfold << " ms\n";
}

TEST(PatchEmbed, IsTheSameFrozenAndThawed) {
  for (const bool in_file : {false, true}) {
    PatchEmbed layer(3, {7, 5}, 17);
    randomise(layer, 1);
    const Tensor image = random({2, 3, 22, 26}, 2), expected = layer.forward(image), weight = layer.weights.weight;
    for (const auto& [name, slot] : layer.tensors()) slot->in_file = in_file;
    layer.freeze({});
    EXPECT_TRUE(layer.weights.packed);
    EXPECT_EQ(layer.weights.weight.defined(), !in_file);
    EXPECT_LT(difference(layer.forward(image), expected), 1e-6) << "outside InferenceMode";
    {
      const c10::InferenceMode inference;
      EXPECT_LT(difference(layer.forward(image), expected), 1e-5);
    }
    layer.thaw();
    EXPECT_FALSE(layer.weights.packed);
    if (!in_file) {
      EXPECT_TRUE(layer.weights.weight.is_same(weight));
    }
  }
}

TEST(RearrangedPatchEmbed, EqualsTheConvolutionAfterPermutingTheWeight) {  // R007: what lies between the two norms
  PatchEmbed convolution(3, {4, 6}, 17);
  randomise(convolution, 1);
  Linear proj(3 * 4 * 6, 17);
  proj.weights = {.weight = for_rearranged(convolution.weights.weight), .bias = convolution.weights.bias};
  const Tensor image = random({2, 3, 16, 24}, 2), patches = rearrange_patches(image, {4, 6});
  EXPECT_LT(difference(proj.forward(patches), convolution.forward(image)), 1e-5);
  proj.weights.weight = convolution.weights.weight.flatten(1);
  EXPECT_GT(difference(proj.forward(patches), convolution.forward(image)), 0.1) << "the order matters";
}

TEST(RearrangedPatchEmbed, NormalisesBeforeAndAfterTheProjection) {  // R007
  RearrangedPatchEmbed layer(3, {4, 4}, 17);
  randomise(layer, 1);
  const Tensor image = random({2, 3, 8, 12}, 2);
  const Tensor expected =
      layer.norm2.forward(layer.proj.forward(layer.norm1.forward(rearrange_patches(image, {4, 4}))));
  EXPECT_EQ(expected.sizes(), at::IntArrayRef({2, 6, 17}));
  EXPECT_TRUE(same(layer.forward(image), expected));
  EXPECT_EQ(layer.norm1.weights.weight.size(0), 48);
  EXPECT_EQ(layer.norm2.weights.weight.size(0), 17);
}

TEST(RearrangedPatchEmbed, RefusesAPictureThatDoesNotDivide) {  // R007
  EXPECT_THAT(error_of([] { rearrange_patches(random({1, 3, 224, 220}, 1), {16, 16}); }), HasSubstr("224 x 220"));
}

TEST(RearrangePatches, OrdersPixelsByRowColumnChannel) {  // R007
  const Tensor image = random({1, 3, 4, 6}, 1), patches = rearrange_patches(image, {2, 3});
  EXPECT_EQ(patches.sizes(), at::IntArrayRef({1, 4, 18}));
  EXPECT_EQ(patches[0][1][(1 * 3 + 2) * 3 + 1].item<float>(), image[0][1][1][3 + 2].item<float>());
}

TEST(RearrangePatches, IsNotAReshape) {  // R009: the counter-example
  const Tensor image = numbered_patches(3, 4);
  EXPECT_TRUE(constant_rows(rearrange_patches(image, {4, 4})));
  EXPECT_TRUE(constant_rows(ops::patchify(image, {4, 4})));
  const Tensor naive = image.reshape({1, 9, 4 * 4 * 3});
  EXPECT_FALSE(constant_rows(naive));
  EXPECT_GT(difference(naive, ops::patchify(image, {4, 4})), 0.1);
}

}  // namespace
}  // namespace nunchi::nn
