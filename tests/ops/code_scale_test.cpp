#include "ops/code_scale.h"

#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include <limits>

#include "ops/compare.h"
#include "ops/conv_int8.h"
#include "ops/policy.h"
#include "ops/pool.h"

namespace nunchi::ops {
namespace {

TEST(CodeScale, HasACodeForZeroAndReachesBothEnds) {
  for (const auto& [low, high] : {std::pair{-1.0, 3.0}, {0.5, 4.0}, {-4.0, -2.0}, {0.0, 6.0}, {-1e-3, 1e3}}) {
    const auto [scale, zero] = code_scale(low, high);
    EXPECT_LE(scale * static_cast<double>(-zero), std::min(low, 0.0) + scale / 2);
    EXPECT_GE(scale * static_cast<double>(255 - zero), std::max(high, 0.0) - scale / 2);
    EXPECT_TRUE(zero >= 0 && zero <= 255);
  }
  EXPECT_EQ(code_scale(0, 0).scale, 1) << "nothing to divide by";
}

TEST(Codes, AreWithinHalfAStepAndClippedBeyond) {
  const auto scale = code_scale(-2, 2);
  const Tensor x = random({2, 5, 7, 6}, 61).clamp(-2, 2), codes = in_codes(x, scale);
  EXPECT_EQ(codes.scalar_type(), at::kByte);
  EXPECT_LE((in_numbers(codes).to(at::kFloat) - x).abs().max().item<double>(), scale.scale * 0.5 + 2.0 / 256);
  EXPECT_EQ(in_codes(x * 100, scale).max().item<int>(), 255);
  EXPECT_EQ(in_codes(x * 100, scale).min().item<int>(), 0);
}

TEST(Codes, AreNoOtherBytes) {
  EXPECT_FALSE(scale_of(at::zeros({1, 3, 4, 4}, at::kByte)));
  EXPECT_FALSE(scale_of(random({1, 3, 4, 4}, 62)));
  EXPECT_FALSE(scale_of(Tensor()));
  const Tensor x = random({1, 3, 4, 4}, 62);
  EXPECT_TRUE(in_numbers(x).is_same(x));
}

TEST(Codes, OfTheLargestNumberAreTheLargest) {
  const c10::InferenceMode inference;
  for (const std::int64_t side : {7, 12}) {
    for (const PoolOptions& o : {PoolOptions{.kernel = 3, .stride = 2, .padding = 1},
                                 {.kernel = 2, .stride = 2},
                                 {.kernel = 3, .stride = 1, .partial_windows = true}}) {
      const Tensor x = in_codes(random({2, 19, side, 9}, 63), code_scale(-3, 3));
      EXPECT_TRUE(same(in_numbers(max_pool2d(x, o)), max_pool2d(in_numbers(x), o)));
    }
  }
}

ConvWeights weights(std::int64_t in, std::int64_t out, std::int64_t kernel) {
  const Tensor weight = random({out, in, kernel, kernel}, 64) / std::sqrt(static_cast<double>(in * kernel * kernel));
  return {.matrix = std::make_shared<ConvMatrix>(quantise_conv(weight, random({out}, 65)))};
}

// A number on the edge between two codes may fall either way.
TEST(ConvInt8Codes, AreTakenAndGivenAsTheReferenceDoes) {
  const c10::InferenceMode inference;
  for (const std::int64_t in : {3, 16, 20}) {
    for (const std::int64_t kernel : {1, 3}) {
      for (const std::int64_t stride : {1, 2}) {
        for (const std::int64_t padding : {std::int64_t{0}, kernel / 2}) {
          SCOPED_TRACE(testing::Message()
                       << in << " channels, kernel " << kernel << ", stride " << stride << ", padding " << padding);
          const auto w = weights(in, 70, kernel);
          const Tensor x = in_codes(random({3, in, 11, 12}, 66), code_scale(-2, 3));
          const ConvOptions o{.stride = {stride, stride}, .padding = {padding, padding}};
          const auto by_reference = [&](const ConvEpilogue& e) {
            const PolicyScope scope(Policy::reference);
            return conv2d(x, w, o, e);
          };
          const Tensor plain = conv2d(x, w, o);
          EXPECT_LT(difference(plain, by_reference({})), 1e-2);
          const Tensor added = in_codes(random(plain.sizes().vec(), 67), code_scale(-1, 1));
          for (const auto activation : {Activation::none, Activation::relu, Activation::hard_swish, Activation::mish}) {
            const ConvEpilogue e{.activation = activation, .residual = added, .codes = code_scale(-1, 4)};
            const Tensor codes = conv2d(x, w, o, e), expected = by_reference(e);
            EXPECT_EQ(scale_of(codes)->scale, e.codes->scale);
            EXPECT_LE((codes.to(at::kInt) - expected.to(at::kInt)).abs().max().item<int>(), 1);
          }
        }
      }
    }
  }
}

TEST(ConvInt8Codes, AreNotGivenForWhatIsNoNumber) {
  const c10::InferenceMode inference;
  for (const std::int64_t kernel : {1, 3}) {
    Tensor x = random({2, 8, 6, 5}, 68);
    x[1][3][2][2].fill_(std::numeric_limits<double>::quiet_NaN());
    const Tensor y = conv2d(x, weights(8, 16, kernel), {.padding = {kernel / 2, kernel / 2}}, {.codes = CodeScale()});
    EXPECT_FALSE(scale_of(y));
    EXPECT_TRUE(y[1].select(1, 2).select(1, 2).isnan().all().item<bool>());
    EXPECT_TRUE(all_finite(y[0]));
  }
}

TEST(ConvInt8Codes, BecomeNumbersWhereAConvolutionWantsThem) {
  const c10::InferenceMode inference;
  const Tensor x = in_codes(random({1, 8, 6, 5}, 69), code_scale(-3, 3)), numbers = in_numbers(x);
  const Tensor weight = random({4, 8, 3, 3}, 70, numbers.scalar_type());
  const ConvEpilogue e{.residual = in_codes(random({1, 4, 4, 3}, 71), code_scale(-3, 3))};
  EXPECT_TRUE(same(conv2d(x, {.weight = weight}, {}, e),
                   conv2d(numbers, {.weight = weight}, {}, {.residual = in_numbers(*e.residual)})));
}

}  // namespace
}  // namespace nunchi::ops
