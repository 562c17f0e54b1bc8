#include "ops/linear_int8.h"

#include <ATen/ops/linear.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include <limits>

#include "ops/both_paths.h"
#include "ops/compare.h"

// ctest runs this program once more for each instruction set (NUNCHI_ISA).
namespace nunchi::ops {
namespace {

using testing::HasSubstr;

Tensor weight_of(std::int64_t in, std::int64_t out) {
  return random({out, in}, 21) / std::sqrt(static_cast<double>(in));
}

LinearWeights weights(std::int64_t in, std::int64_t out, bool bias = true) {
  return {.packed = quantise_weight(weight_of(in, out), bias ? random({out}, 22) : Tensor())};
}

class LinearInt8 : public testing::TestWithParam<at::ScalarType> {
 protected:
  // What rounding to the input's dtype allows. A code on the edge between two may fall either way.
  double tolerance() const { return GetParam() == at::kFloat ? 2e-5 : 1e-2; }

  void expect_like_the_reference(const Tensor& x, const LinearWeights& w, const Epilogue& e = {}) const {
    const c10::InferenceMode inference;
    const auto [fused, reference] = linear_by_both_paths(x, w, e);
    EXPECT_LT(difference(fused, reference), tolerance());
  }
};

TEST_P(LinearInt8, AgreesWithItsReferenceOnOddSizes) {
  for (const auto& [in, out] :
       {std::pair{1, 1}, {5, 17}, {17, 31}, {31, 65}, {768, 31}, {31, 768}, {768, 1000}, {3072, 64}}) {
    for (const std::int64_t tokens : {1, 3, 64, 65, 197}) {
      SCOPED_TRACE(testing::Message() << tokens << " tokens, " << in << " -> " << out);
      expect_like_the_reference(random({tokens, in}, 23, GetParam()), weights(in, out, /*bias=*/tokens != 3));
    }
  }
}

TEST_P(LinearInt8, AgreesOnEveryEpilogue) {
  const auto w = weights(36, 70);
  const Tensor x = random({2, 3, 36}, 24, GetParam());
  for (const auto activation : {Activation::none, Activation::gelu, Activation::gelu_tanh, Activation::relu,
                                Activation::silu, Activation::quick_gelu, Activation::tanh, Activation::mish}) {
    for (const bool scaled : {true, false}) {
      for (const bool added : {true, false}) {
        SCOPED_TRACE(testing::Message() << "activation " << static_cast<int>(activation) << scaled << added);
        Epilogue e{.activation = activation};
        if (scaled) e.scale = random({70}, 25, GetParam());
        if (added) e.residual = random({2, 3, 70}, 26, GetParam());
        expect_like_the_reference(x, w, e);
      }
    }
  }
  expect_like_the_reference(x, w, {.kept = random({2, 1, 1}, 27, GetParam())});
}

TEST_P(LinearInt8, TakesViewsAndUnevenRows) {
  const auto w = weights(40, 33);
  expect_like_the_reference(random({4, 40, 7}, 28, GetParam()).transpose(1, 2), w);
  expect_like_the_reference(random({4, 9, 80}, 29, GetParam()).slice(2, 40), w);
  Tensor uneven = random({5, 40}, 30, GetParam());
  uneven[1].fill_(3);    // a row of one value
  uneven[2].zero_();     // a row of zeros
  uneven[3].mul_(1e4);   // rows have a range each
  uneven[4].add_(1000);  // far from zero
  expect_like_the_reference(uneven, w, {.residual = random({1, 33}, 31, GetParam())});
  EXPECT_EQ(linear(random({0, 40}, 32, GetParam()), w).sizes(), (Shape{0, 33}));
}

TEST_P(LinearInt8, KeepsWhatIsNotANumber) {
  const c10::InferenceMode inference;
  for (const double wrong : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    Tensor x = random({3, 40}, 33, GetParam());
    x[1][37].fill_(wrong);
    const Tensor y = linear(x, weights(40, 33), {.activation = Activation::gelu});
    EXPECT_FALSE(y[1].isfinite().any().item<bool>());
    EXPECT_TRUE(all_finite(y[0]) && all_finite(y[2]));
  }
}

INSTANTIATE_TEST_SUITE_P(Dtypes, LinearInt8, testing::Values(at::kFloat, at::kBFloat16));

TEST(QuantiseWeight, IsWithinHalfAStepOfEveryWeight) {
  Tensor weight = weight_of(37, 70);
  weight[3].zero_();
  const auto w = quantise_weight(weight, {});
  EXPECT_EQ(w.blocks.sizes(), (Shape{2, 10, 64, 4}));
  const Tensor half_steps = weight.abs().amax({1}, true) / 127 / 2;
  EXPECT_TRUE(((dequantise_weight(w) - weight).abs() <= half_steps * 1.0001).all().item<bool>());
  EXPECT_TRUE(same(dequantise_weight(quantise_weight(dequantise_weight(w), {})), dequantise_weight(w)));
}

TEST(QuantiseWeight, RefusesWhatIsNotANumber) {
  Tensor weight = weight_of(8, 8);
  weight[1][1].fill_(std::numeric_limits<double>::infinity());
  EXPECT_THAT([&] { quantise_weight(weight, {}); }, testing::ThrowsMessage<Error>(HasSubstr("finite")));
}

// Eight bits for each row and each channel: within 2 % of the formula.
TEST(LinearInt8Accuracy, IsThatOfEightBits) {
  const c10::InferenceMode inference;
  const Tensor x = random({197, 768}, 35), weight = weight_of(768, 768);
  const Tensor expected = at::linear(x, weight);
  const Tensor error = linear(x, {.packed = quantise_weight(weight, {})}) - expected;
  EXPECT_LT(error.pow(2).mean().sqrt().item<double>(), 0.02 * expected.pow(2).mean().sqrt().item<double>());
}

}  // namespace
}  // namespace nunchi::ops
