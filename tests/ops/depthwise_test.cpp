#include "ops/depthwise.h"

#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include <limits>

#include "ops/compare.h"
#include "ops/count.h"
#include "ops/policy.h"

// ctest runs this program once more for each instruction set (NUNCHI_ISA).
namespace nunchi::ops {
namespace {

using Pair = std::array<std::int64_t, 2>;

ConvWeights packed(const ConvWeights& plain) {
  ConvWeights w = plain;
  pack_conv(w, {.groups = w.weight.size(0)});
  EXPECT_TRUE(w.depthwise);
  return w;
}

ConvWeights weights(std::int64_t channels, const Pair& kernel, at::ScalarType dtype, bool bias = true) {
  return {.weight = random({channels, 1, kernel[0], kernel[1]}, 51, dtype),
          .bias = bias ? random({channels}, 52, dtype) : Tensor()};
}

class Depthwise : public testing::TestWithParam<at::ScalarType> {
 protected:
  double tolerance() const { return GetParam() == at::kFloat ? 1e-5 : 1.2e-2; }

  void expect_like_the_reference(const Tensor& x, const ConvWeights& plain, ConvOptions o,
                                 const ConvEpilogue& e = {}) const {
    o.groups = x.size(1);
    const auto w = packed(plain);
    const c10::InferenceMode inference;
    reset_path_counts();
    const MacCounter macs;
    const Tensor fused = conv2d(x, w, o, e);
    EXPECT_EQ(path_counts().fused, 1);
    EXPECT_EQ(macs.total(), fused.numel() * plain.weight.size(2) * plain.weight.size(3));
    const PolicyScope scope(Policy::reference);
    EXPECT_EQ(fused.scalar_type(), GetParam());
    const Tensor reference = conv2d(x, plain, o, e);
    EXPECT_LT(difference(fused, reference), tolerance());
    EXPECT_TRUE(same(conv2d(x, w, o, e), reference)) << "from the packed weight alone";
    EXPECT_TRUE(same(unpack_depthwise(*w.depthwise), plain.weight));
  }
};

TEST_P(Depthwise, AgreesWithTheReferenceOnEveryShape) {
  for (const std::int64_t channels : {2, 5, 16, 37, 96}) {
    for (const Pair kernel : {Pair{3, 3}, {5, 5}, {1, 3}, {4, 2}, {3, 7}}) {
      for (const std::int64_t stride : {1, 2, 3}) {
        for (const std::int64_t dilation : {1, 2}) {
          for (const std::int64_t padding : {0, 1, 4}) {
            SCOPED_TRACE(testing::Message()
                         << channels << " channels, kernel " << kernel[0] << " x " << kernel[1] << ", stride " << stride
                         << ", dilation " << dilation << ", padding " << padding);
            const ConvOptions o{
                .stride = {stride, stride}, .padding = {padding, padding}, .dilation = {dilation, dilation}};
            expect_like_the_reference(random({2, channels, 15, 29}, 53, GetParam()),
                                      weights(channels, kernel, GetParam(), padding != 1), o);
          }
        }
      }
    }
  }
}

TEST_P(Depthwise, AgreesOnEveryEpilogueAndWithTensorFlowsPadding) {
  const auto w = weights(24, {3, 3}, GetParam());
  const Tensor x = random({2, 24, 14, 17}, 54, GetParam());
  for (const auto activation :
       {Activation::none, Activation::relu, Activation::relu6, Activation::silu, Activation::hard_swish}) {
    SCOPED_TRACE(testing::Message() << "activation " << static_cast<int>(activation));
    expect_like_the_reference(x, w, {.padding = {1, 1}}, {.activation = activation});
    expect_like_the_reference(x, w, {.padding = {1, 1}},
                              {.activation = activation, .residual = random({2, 24, 14, 17}, 55, GetParam())});
    expect_like_the_reference(x, w, {.stride = {2, 2}, .same = true}, {.activation = activation});
    expect_like_the_reference(x, w, {.same = true}, {.activation = activation});
  }
}

TEST_P(Depthwise, TakesAnyStridesAndKeepsWhatIsNotANumber) {
  const auto w = weights(20, {3, 3}, GetParam());
  const Tensor x = random({2, 20, 12, 13}, 56, GetParam());
  const ConvOptions o{.padding = {1, 1}, .groups = 20};
  expect_like_the_reference(x.contiguous(at::MemoryFormat::ChannelsLast), w, o);
  expect_like_the_reference(x.transpose(2, 3), w, o);
  Tensor wrong = x.clone();
  wrong[1][3][5][6].fill_(std::numeric_limits<double>::quiet_NaN());
  const c10::InferenceMode inference;
  const Tensor y = conv2d(wrong, packed(w), o, {.activation = Activation::relu6, .codes = CodeScale{.scale = 0.1}});
  EXPECT_TRUE(y[1][3].slice(0, 4, 7).slice(1, 5, 8).isnan().all().item<bool>()) << "no codes of it";
  EXPECT_TRUE(all_finite(y[0]) && all_finite(y[1][2]));
}

// Codes of their own scales, in and out. A number on the edge between two codes may fall either way.
TEST_P(Depthwise, TakesAndGivesCodes) {
  const c10::InferenceMode inference;
  for (const std::int64_t stride : {1, 2}) {
    const auto w = weights(40, {3, 3}, GetParam());
    const ConvOptions o{.stride = {stride, stride}, .padding = {1, 1}, .groups = 40};
    const Tensor x = in_codes(random({2, 40, 11, 21}, 57), code_scale(-2.5, 3));
    const Tensor exact =
        conv2d(in_numbers(x).to(at::kFloat), {.weight = w.weight.to(at::kFloat), .bias = w.bias.to(at::kFloat)}, o,
               {.activation = Activation::relu6});
    EXPECT_LT(difference(conv2d(x, packed(w), o, {.activation = Activation::relu6}), exact), 1.2e-2);
    for (const auto activation : {Activation::relu6, Activation::silu}) {
      const ConvEpilogue e{.activation = activation, .codes = code_scale(-0.5, 5)};
      const Tensor codes = conv2d(x, packed(w), o, e);
      EXPECT_EQ(scale_of(codes)->zero, e.codes->zero);
      const PolicyScope scope(Policy::reference);
      const Tensor expected = conv2d(x, packed(w), o, e);
      EXPECT_LE((codes.to(at::kInt) - expected.to(at::kInt)).abs().max().item<int>(),
                activation == Activation::relu6 ? 1 : 3)
          << "rounded to bf16 on the way";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Dtypes, Depthwise, testing::Values(at::kFloat, at::kBFloat16));

TEST(DepthwiseChoice, IsForSmallKernelsOfOneChannelEach) {
  EXPECT_TRUE(is_depthwise(random({6, 1, 3, 3}, 58), 6));
  EXPECT_FALSE(is_depthwise(random({6, 1, 7, 7}, 58), 6));
  EXPECT_FALSE(is_depthwise(random({6, 1, 3, 3}, 58), 3)) << "two kernels to a channel";
  EXPECT_FALSE(is_depthwise(random({6, 2, 3, 3}, 58), 3));
  EXPECT_FALSE(is_depthwise(random({1, 1, 3, 3}, 58), 1)) << "as good a convolution as any";
}

}  // namespace
}  // namespace nunchi::ops
