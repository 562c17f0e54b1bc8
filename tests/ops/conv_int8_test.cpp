#include "ops/conv_int8.h"

#include <ATen/Parallel.h>
#include <ATen/ops/conv2d.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include <limits>

#include "ops/compare.h"
#include "ops/count.h"
#include "ops/policy.h"

// ctest runs this program once more for each instruction set (NUNCHI_ISA).
namespace nunchi::ops {
namespace {

using testing::HasSubstr;

Tensor weight_of(std::int64_t in, std::int64_t out, std::array<std::int64_t, 2> kernel) {
  return random({out, in, kernel[0], kernel[1]}, 41) / std::sqrt(static_cast<double>(in * kernel[0] * kernel[1]));
}

ConvWeights weights(std::int64_t in, std::int64_t out, std::array<std::int64_t, 2> kernel, bool bias = true,
                    const ConvOptions& o = {}) {
  const Tensor weight = weight_of(in, out, kernel);
  return {.matrix = std::make_shared<ConvMatrix>(quantise_conv(weight, bias ? random({out}, 42) : Tensor(), o))};
}

class ConvInt8 : public testing::TestWithParam<at::ScalarType> {
 protected:
  // What rounding to the input's dtype allows. A code on the edge between two may fall either way.
  double tolerance() const { return GetParam() == at::kFloat ? 2e-4 : 1e-2; }

  void expect_like_the_reference(const Tensor& x, const ConvWeights& w, const ConvOptions& o = {},
                                 const ConvEpilogue& e = {}) const {
    const c10::InferenceMode inference;
    reset_path_counts();
    const Tensor fused = conv2d(x, w, o, e);
    EXPECT_EQ(path_counts().fused, 1);
    const PolicyScope scope(Policy::reference);
    const Tensor reference = conv2d(x, w, o, e);
    EXPECT_EQ(path_counts().reference, 1);
    EXPECT_EQ(fused.scalar_type(), GetParam());
    EXPECT_LT(difference(fused, reference), tolerance());
  }
};

TEST_P(ConvInt8, AgreesWithItsReferenceOnEveryShape) {
  using Pair = std::array<std::int64_t, 2>;
  for (const auto& [in, out] : {std::pair{1, 1}, {3, 64}, {4, 17}, {17, 31}, {64, 130}}) {
    for (const Pair kernel : {Pair{1, 1}, {3, 3}, {7, 7}, {1, 5}, {4, 2}}) {
      for (const Pair stride : {Pair{1, 1}, {2, 2}, {3, 1}}) {
        for (const Pair padding : {Pair{0, 0}, {kernel[0] / 2, kernel[1] / 2}, {0, 3}}) {
          SCOPED_TRACE(testing::Message()
                       << in << " -> " << out << ", kernel " << kernel[0] << " x " << kernel[1] << ", stride "
                       << stride[0] << " x " << stride[1] << ", padding " << padding[0] << " x " << padding[1]);
          expect_like_the_reference(random({2, in, 13, 10}, 43, GetParam()), weights(in, out, kernel, out != 17),
                                    {.stride = stride, .padding = padding});
        }
      }
    }
  }
}

TEST_P(ConvInt8, AgreesDilatedAndWithTensorFlowsPadding) {
  for (const std::int64_t dilation : {2, 3}) {
    const ConvOptions across{.padding = {2, 1}, .dilation = {dilation, 2}};
    expect_like_the_reference(random({1, 5, 13, 10}, 43, GetParam()), weights(5, 9, {3, 3}, true, across), across);
    const ConvOptions down{.padding = {1, 1}, .dilation = {dilation, 1}};
    expect_like_the_reference(random({1, 8, 13, 10}, 43, GetParam()), weights(8, 9, {3, 3}, true, down), down);
  }
  for (const std::int64_t stride : {1, 2})
    expect_like_the_reference(random({2, 3, 12, 11}, 43, GetParam()), weights(3, 8, {3, 3}),
                              {.stride = {stride, stride}, .same = true});
}

TEST_P(ConvInt8, AgreesOnEveryEpilogue) {
  for (const std::int64_t kernel : {1, 3}) {
    const auto w = weights(36, 70, {kernel, kernel});
    const Tensor x = random({2, 36, 5, 6}, 44, GetParam()), residual = random({2, 70, 5, 6}, 45, GetParam());
    for (const auto activation : {Activation::none, Activation::gelu, Activation::gelu_tanh, Activation::relu,
                                  Activation::relu6, Activation::silu, Activation::hard_swish, Activation::tanh}) {
      SCOPED_TRACE(testing::Message() << "kernel " << kernel << ", activation " << static_cast<int>(activation));
      const ConvOptions o{.padding = {kernel / 2, kernel / 2}};
      expect_like_the_reference(x, w, o, {.activation = activation});
      expect_like_the_reference(x, w, o, {.activation = activation, .residual = residual});
    }
  }
}

TEST_P(ConvInt8, GivesEachPictureItsRangeHoweverManyThereAreAndHoweverTheyLie) {
  const c10::InferenceMode inference;
  const auto w = weights(6, 20, {3, 3});
  const ConvOptions o{.padding = {1, 1}};
  Tensor x = random({5, 6, 9, 8}, 46, GetParam());
  x[1].mul_(1e3);
  x[2].add_(50);   // far from zero, all of one sign
  x[3].fill_(-2);  // one value
  x[4].zero_();
  expect_like_the_reference(x, w, o);
  const Tensor together = conv2d(x, w, o);
  for (std::int64_t i = 0; i < 5; ++i)
    EXPECT_TRUE(same(conv2d(x.slice(0, i, i + 1), w, o), together.slice(0, i, i + 1)));
  EXPECT_TRUE(same(conv2d(x.contiguous(at::MemoryFormat::ChannelsLast), w, o), together));
  EXPECT_TRUE(same(conv2d(x.transpose(2, 3).contiguous().transpose(2, 3), w, o), together));
  const auto threads = at::get_num_threads();
  for (const int other : {1, 2, 3}) {
    at::set_num_threads(other);
    EXPECT_TRUE(same(conv2d(x, w, o), together)) << other << " threads";
  }
  at::set_num_threads(threads);
}

TEST_P(ConvInt8, KeepsWhatIsNotANumber) {
  const c10::InferenceMode inference;
  for (const std::int64_t kernel : {1, 3}) {
    for (const double wrong : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
      Tensor x = random({3, 7, 6, 5}, 47, GetParam());
      x[1][3][2][2].fill_(wrong);
      const Tensor y = conv2d(x, weights(7, 33, {kernel, kernel}), {.padding = {kernel / 2, kernel / 2}});
      EXPECT_FALSE(y.select(0, 1).select(1, 2).select(1, 2).isfinite().any().item<bool>());
      EXPECT_TRUE(all_finite(y[0]) && all_finite(y[2]));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Dtypes, ConvInt8, testing::Values(at::kFloat, at::kBFloat16));

TEST(ConvInt8Size, MustHoldTheKernel) {
  const c10::InferenceMode inference;
  for (const std::int64_t stride : {1, 2}) {
    EXPECT_THAT(
        [&] {
          conv2d(random({1, 6, 2, 9}, 47), weights(6, 20, {3, 3}), {.stride = {stride, stride}});
        },
        testing::ThrowsMessage<Error>(HasSubstr("too small")));
  }
}

TEST(QuantiseConv, IsWithinHalfAStepOfEveryWeight) {
  const Tensor weight = weight_of(7, 70, {3, 5});
  const auto w = quantise_conv(weight, {});
  const Tensor half_steps = weight.abs().amax({1, 2, 3}, true) / 127 / 2;
  EXPECT_TRUE(((unpack_matrix(w) - weight).abs() <= half_steps * 1.0001).all().item<bool>());
  EXPECT_THAT([&] { quantise_conv(weight / 0.0, {}); }, testing::ThrowsMessage<Error>(HasSubstr("finite")));
}

// Eight bits for a picture and each channel: within 2 % of the formula.
TEST(ConvInt8Accuracy, IsThatOfEightBits) {
  const c10::InferenceMode inference;
  const Tensor x = random({1, 64, 28, 28}, 48), weight = weight_of(64, 64, {3, 3});
  const ConvOptions o{.padding = {1, 1}};
  const Tensor expected = at::conv2d(x, weight, {}, 1, 1);
  const MacCounter macs;
  const Tensor found = conv2d(x, {.matrix = std::make_shared<ConvMatrix>(quantise_conv(weight, {}))}, o);
  EXPECT_EQ(macs.total(), 64 * 64 * 9 * 28 * 28);
  EXPECT_LT((found - expected).pow(2).mean().sqrt().item<double>(),
            0.02 * expected.pow(2).mean().sqrt().item<double>());
}

TEST(ConvInt8Meta, KnowsItsShapeWithoutNumbers) {
  const Tensor x = at::empty({2, 6, 9, 8}, at::TensorOptions(at::kFloat).device(at::kMeta));
  EXPECT_EQ(conv2d(x, weights(6, 20, {3, 3}), {.stride = {2, 2}, .padding = {1, 1}}).sizes(), (Shape{2, 20, 5, 4}));
}

}  // namespace
}  // namespace nunchi::ops
