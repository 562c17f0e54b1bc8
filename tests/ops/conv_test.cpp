#include "ops/conv.h"

#include <ATen/ops/arange.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include "core/in_child.h"
#include "ops/compare.h"
#include "ops/conv_product.h"
#include "ops/count.h"
#include "ops/depthwise.h"
#include "ops/policy.h"

namespace nunchi::ops {
namespace {

using testing::HasSubstr;

PatchWeights patch_weights(std::array<std::int64_t, 2> patch, at::ScalarType dtype = at::kFloat) {
  PatchWeights w{
      .weight = random({17, 3, patch[0], patch[1]}, 1, dtype), .bias = random({17}, 2, dtype), .patch = patch};
  w.packed = pack_linear(w.weight.flatten(1), w.bias);
  return w;
}

TEST(PatchEmbed, IsTheSameFusedAndByConvolution) {
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    for (const std::array<std::int64_t, 2> patch : {std::array<std::int64_t, 2>{8, 8}, {7, 5}, {1, 3}, {16, 16}}) {
      const auto w = patch_weights(patch, dtype);
      const Tensor image = random({2, 3, 33, 26}, 3, dtype);  // some pixels are left over
      const c10::InferenceMode inference;
      reset_path_counts();
      const Tensor fused = patch_embed(image, w);
      EXPECT_EQ(path_counts().fused, 2);  // and the linear op inside
      EXPECT_EQ(path_counts().reference, 0);
      const PolicyScope scope(Policy::reference);
      const Tensor reference = patch_embed(image, w);
      EXPECT_EQ(path_counts().reference, 2);  // and the convolution inside
      EXPECT_EQ(reference.sizes(), at::IntArrayRef({2, (33 / patch[0]) * (26 / patch[1]), 17}));
      EXPECT_LT(difference(fused, reference), dtype == at::kFloat ? 1e-5 : 1e-2) << patch[0] << " x " << patch[1];
      EXPECT_TRUE(same(patch_embed(image, {{}, w.bias, w.packed, patch}), reference)) << "from the packed weight alone";
    }
  }
}

TEST(PatchEmbed, TakesAnyStrides) {
  const auto w = patch_weights({4, 4});
  const Tensor planes = random({2, 3, 16, 24}, 3), pixels = planes.contiguous(at::MemoryFormat::ChannelsLast);
  const c10::InferenceMode inference;
  const Tensor expected = patch_embed(planes, w);
  EXPECT_TRUE(same(patch_embed(pixels, w), expected));
  EXPECT_TRUE(same(patch_embed(planes.expand({2, 3, 16, 24}), w), expected));
}

TEST(PatchEmbed, RefusesTheFusedPathWithTheReason) {
  const PolicyScope scope(Policy::fused);
  auto w = patch_weights({4, 4});
  EXPECT_THAT(error_of([&] { patch_embed(random({1, 3, 8, 8}, 1), w); }), HasSubstr("InferenceMode"));
  const c10::InferenceMode inference;
  w.packed.reset();
  EXPECT_THAT(error_of([&] { patch_embed(random({1, 3, 8, 8}, 1), w); }), HasSubstr("not packed"));
}

TEST(Patchify, OrdersPixelsByChannelRowColumnAndPatchesByRows) {
  const Tensor image = at::arange(2 * 4 * 6, at::kFloat).view({1, 2, 4, 6});
  const Tensor patches = patchify(image, {2, 3});  // [1, 4, 12]
  EXPECT_EQ(patches.sizes(), at::IntArrayRef({1, 4, 12}));
  for (std::int64_t c = 0; c < 2; ++c) {
    for (std::int64_t row = 0; row < 2; ++row) {
      for (std::int64_t column = 0; column < 3; ++column) {  // of the third patch: second row of patches, first column
        EXPECT_EQ(patches[0][2][c * 6 + row * 3 + column].item<float>(), image[0][c][2 + row][column].item<float>());
      }
    }
  }
}

TEST(Patchify, LeavesOutWhatDoesNotFillAPatch) {
  const Tensor image = random({2, 3, 9, 11}, 1);
  EXPECT_TRUE(same(patchify(image, {4, 5}), patchify(image.slice(2, 0, 8).slice(3, 0, 10).contiguous(), {4, 5})));
}

TEST(Conv2d, HasTheSameShapeAndCostOnMetaTensors) {
  for (const std::int64_t groups : {1, 3}) {
    for (const std::int64_t kernel : {1, 3}) {
      for (const std::int64_t stride : {1, 2}) {
        for (const std::int64_t dilation : {1, 2}) {
          const ConvWeights w{.weight = random({6, 3 / groups, kernel, kernel}, 1)};
          const ConvOptions o{
              .stride = {stride, 1}, .padding = {1, kernel / 2}, .dilation = {dilation, 1}, .groups = groups};
          const Tensor x = random({2, 3, 11, 8}, 2);
          const MacCounter real;
          const Shape shape = conv2d(x, w, o).sizes().vec();
          const auto macs = real.total();
          EXPECT_EQ(macs, c10::multiply_integers(shape) * 3 / groups * kernel * kernel);
          const MacCounter counted;
          const Tensor shaped = conv2d(x.to(at::kMeta), {.weight = w.weight.to(at::kMeta)}, o);
          EXPECT_EQ(shaped.sizes().vec(), shape);
          EXPECT_EQ(counted.total(), macs);
        }
      }
    }
  }
}

constexpr Activation conv_activations[] = {
    Activation::none,      Activation::relu,    Activation::relu6, Activation::silu,       Activation::gelu,
    Activation::gelu_tanh, Activation::sigmoid, Activation::tanh,  Activation::hard_swish, Activation::leaky_relu};

ConvWeights frozen(ConvWeights w, const ConvOptions& options = {}) {
  pack_conv(w, options);
  return w;
}

// The weight back from what packing made of it.
Tensor unpacked(const ConvWeights& w) {
  if (w.depthwise) return unpack_depthwise(*w.depthwise);
  return w.matrix ? unpack_matrix(*w.matrix) : w.grouped->plain();
}

class ConvPaths : public testing::TestWithParam<at::ScalarType> {
 protected:
  void expect_like_the_reference(const Tensor& x, const ConvWeights& w, const ConvOptions& o,
                                 const ConvEpilogue& e = {}) const {
    const c10::InferenceMode inference;
    const auto packed = frozen(w, o);
    reset_path_counts();
    const Tensor fused = conv2d(x, packed, o, e);
    EXPECT_EQ(path_counts().fused, 1);
    EXPECT_EQ(path_counts().reference, 0);
    const PolicyScope scope(Policy::reference);
    const Tensor reference = conv2d(x, w, o, e);
    EXPECT_EQ(path_counts().reference, 1);
    EXPECT_EQ(fused.scalar_type(), GetParam());
    EXPECT_LT(difference(fused, reference), GetParam() == at::kFloat ? 1e-5 : 1.2e-2);
    EXPECT_TRUE(same(unpacked(packed), w.weight));
    EXPECT_TRUE(same(conv2d(x, packed, o, e), reference)) << "from the packed weight alone";
  }
};

TEST_P(ConvPaths, AgreesWithTheReferenceOnOddSizes) {
  for (const std::int64_t groups : {1, 3, 12}) {
    for (const std::int64_t kernel : {1, 3, 7}) {
      for (const std::int64_t stride : {1, 2}) {
        for (const std::int64_t dilation : {1, 2}) {
          SCOPED_TRACE(testing::Message()
                       << groups << " groups, kernel " << kernel << ", stride " << stride << ", dilation " << dilation);
          const ConvOptions o{.stride = {stride, 1},
                              .padding = {dilation * (kernel / 2), kernel / 2},
                              .dilation = {dilation, stride == 1 ? dilation : 1},
                              .groups = groups};
          const ConvWeights w{.weight = random({24, 12 / groups, kernel, kernel}, 1, GetParam()),
                              .bias = dilation == 1 ? random({24}, 2, GetParam()) : Tensor()};
          expect_like_the_reference(random({2, 12, 11, 8}, 3, GetParam()), w, o);
        }
      }
    }
  }
}

TEST_P(ConvPaths, AgreesOnEveryEpilogue) {
  const ConvWeights w{.weight = random({10, 6, 3, 3}, 1, GetParam()), .bias = random({10}, 2, GetParam())};
  for (const auto activation : conv_activations) {
    for (const bool added : {false, true}) {
      SCOPED_TRACE(testing::Message() << "activation " << static_cast<int>(activation) << ", residual " << added);
      ConvEpilogue e{.activation = activation};
      if (added) e.residual = random({2, 10, 9, 7}, 4, GetParam());
      expect_like_the_reference(random({2, 6, 9, 7}, 3, GetParam()), w, {.padding = {1, 1}}, e);
    }
  }
}

TEST_P(ConvPaths, TakesAnyStrides) {
  const ConvWeights w{.weight = random({10, 6, 3, 3}, 1, GetParam()).transpose(2, 3)};
  const Tensor x = random({2, 6, 9, 7}, 3, GetParam());
  expect_like_the_reference(x.contiguous(at::MemoryFormat::ChannelsLast), w, {});
  expect_like_the_reference(x.transpose(2, 3), w, {});
  expect_like_the_reference(x.expand({2, 6, 9, 7}).slice(3, 1, 6), w, {});
  const c10::InferenceMode inference;
  EXPECT_EQ(conv2d(x.slice(0, 0, 0), frozen(w)).sizes(), (Shape{0, 10, 7, 5}));
}

TEST_P(ConvPaths, PackAgainForAnotherSize) {
  for (const std::int64_t groups : {1, 4}) {
    const ConvWeights w{.weight = random({512, 256 / groups, 1, 1}, 1, GetParam()),
                        .bias = random({512}, 2, GetParam())};
    const ConvOptions o{.stride = {2, 2}, .groups = groups};
    const auto packed = frozen(w, o);
    const c10::InferenceMode inference;
    for (const Shape& sizes : {Shape{1, 256, 14, 14}, {2, 256, 7, 7}, {1, 256, 3, 30}, {1, 256, 14, 14}}) {
      const Tensor x = random(sizes, 3, GetParam());
      const Tensor fused = conv2d(x, packed, o);
      const PolicyScope scope(Policy::reference);
      EXPECT_LT(difference(fused, conv2d(x, w, o)), GetParam() == at::kFloat ? 1e-5 : 1.2e-2);
      EXPECT_TRUE(same(unpacked(packed), w.weight));
    }
  }
}

// Many pictures go to the threads in groups; those that are left over are shared.
TEST_P(ConvPaths, TakeAnyNumberOfPictures) {
  for (const std::int64_t side : {5, 60}) {
    for (const std::int64_t kernel : {1, 3}) {
      const ConvWeights w{.weight = random({70, 9, kernel, kernel}, 1, GetParam()),
                          .bias = random({70}, 2, GetParam())};
      for (const std::int64_t batch : {1, 3, 8, 13})
        expect_like_the_reference(random({batch, 9, side, side}, 3, GetParam()), w, {.padding = {kernel / 2, 0}});
    }
  }
}

TEST_P(ConvPaths, PadOneSideMoreAsTheReferenceDoes) {
  for (const std::int64_t side : {14, 15}) {
    for (const std::int64_t kernel : {2, 3, 5}) {
      for (const std::int64_t in : {1, 12}) {
        SCOPED_TRACE(testing::Message() << side << " pixels, kernel " << kernel << ", channels of the kernel " << in);
        const ConvWeights w{.weight = random({12, in, kernel, kernel}, 1, GetParam()),
                            .bias = random({12}, 2, GetParam())};
        const ConvOptions o{.stride = {2, 2}, .groups = 12 / in, .same = true};
        const auto packed = frozen(w, o);
        const Tensor x = random({2, 12, side, side + 2}, 3, GetParam());
        const c10::InferenceMode inference;
        const MacCounter fused_cost;
        reset_path_counts();
        const Tensor fused = conv2d(x, packed, o, {.activation = Activation::relu6});
        EXPECT_EQ(path_counts().fused, 1);
        const auto macs = fused_cost.total();
        const PolicyScope scope(Policy::reference);
        const MacCounter cost;
        const Tensor reference = conv2d(x, w, o, {.activation = Activation::relu6});
        EXPECT_LT(difference(fused, reference), GetParam() == at::kFloat ? 1e-5 : 1.2e-2);
        EXPECT_EQ(macs, cost.total());
        EXPECT_TRUE(same(unpacked(packed), w.weight));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Dtypes, ConvPaths, testing::Values(at::kFloat, at::kBFloat16));

TEST(ConvPathsObstacle, IsToldWithTheReason) {
  const PolicyScope scope(Policy::fused);
  const ConvWeights plain{.weight = random({4, 3, 3, 3}, 1)}, w = frozen(plain);
  const Tensor x = random({1, 3, 8, 8}, 2);
  EXPECT_THAT(error_of([&] { conv2d(x, w); }), HasSubstr("InferenceMode"));
  const c10::InferenceMode inference;
  EXPECT_EQ(error_of([&] { conv2d(x, w); }), "");
  EXPECT_THAT(error_of([&] { conv2d(x.to(at::kBFloat16), w); }), HasSubstr("differ in dtype"));
  EXPECT_THAT(error_of([&] { conv2d(x, plain); }), HasSubstr("not packed"));
}

}  // namespace
}  // namespace nunchi::ops
