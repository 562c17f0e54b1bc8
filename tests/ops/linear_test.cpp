#include "ops/linear.h"

#include <ATen/ops/linear.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include "core/in_child.h"
#include "ops/both_paths.h"
#include "ops/compare.h"
#include "ops/count.h"
#include "ops/policy.h"

namespace nunchi::ops {
namespace {

using testing::HasSubstr;

constexpr Activation activations[] = {
    Activation::none,  Activation::gelu,       Activation::gelu_tanh, Activation::quick_gelu, Activation::relu,
    Activation::relu6, Activation::silu,       Activation::tanh,      Activation::sigmoid,    Activation::hard_swish,
    Activation::elu,   Activation::leaky_relu, Activation::mish};

LinearWeights weights(std::int64_t in, std::int64_t out, at::ScalarType dtype, bool bias = true) {
  LinearWeights w{.weight = (random({out, in}, 11) / std::sqrt(static_cast<double>(in))).to(dtype)};
  if (bias) w.bias = random({out}, 12, dtype);
  w.packed = pack_linear(w.weight, w.bias);
  return w;
}

// The formula in double, from the same rounded numbers: what both paths approximate.
Tensor exact(const Tensor& x, const LinearWeights& w, const Epilogue& e) {
  const auto wide = [](const Tensor& t) { return t.to(at::kDouble); };
  const auto bias = w.bias.defined() ? std::optional(wide(w.bias)) : std::nullopt;
  Tensor y = activate(at::linear(wide(x), wide(w.weight), bias), e.activation);
  if (e.scale) y = y * wide(*e.scale);
  return e.residual ? y + wide(*e.residual) : y;
}

class LinearPaths : public testing::TestWithParam<at::ScalarType> {
 protected:
  double tolerance() const { return GetParam() == at::kFloat ? 1e-5 : 1.2e-2; }

  // Runs both paths, proves that each ran, and compares them with the formula.
  void expect_right(const Tensor& x, const LinearWeights& w, const Epilogue& e = {}) const {
    const c10::InferenceMode inference;
    const auto [fused, reference] = linear_by_both_paths(x, w, e);
    EXPECT_LT(difference(fused, exact(x, w, e)), tolerance());
    EXPECT_LT(difference(reference, exact(x, w, e)), tolerance());
  }
};

TEST_P(LinearPaths, AgreeOnOddSizes) {
  for (const auto& [in, out] : {std::pair{5, 17}, {17, 31}, {31, 5}, {768, 31}, {31, 768}, {768, 768}}) {
    for (const std::int64_t tokens : {1, 3, 197}) {
      const bool bias = tokens != 3;
      SCOPED_TRACE(testing::Message() << tokens << " tokens, " << in << " -> " << out << ", bias " << bias);
      expect_right(random({tokens, in}, 13, GetParam()), weights(in, out, GetParam(), bias));
    }
  }
  expect_right(random({1, 1}, 13, GetParam()), weights(1, 1, GetParam()));
}

TEST_P(LinearPaths, AgreeOnEveryEpilogue) {
  const auto dtype = GetParam();
  const auto biased = weights(31, 17, dtype), plain = weights(31, 17, dtype, /*bias=*/false);
  const Tensor x = random({2, 3, 31}, 14, dtype);
  for (const auto activation : activations) {
    for (const bool scaled : {true, false}) {
      for (const bool added : {true, false}) {
        SCOPED_TRACE(testing::Message() << "activation " << static_cast<int>(activation) << ", scale " << scaled
                                        << ", residual " << added);
        Epilogue e{.activation = activation};
        if (scaled) e.scale = random({17}, 15, dtype);
        if (added) e.residual = random({2, 3, 17}, 16, dtype);
        expect_right(x, biased, e);
        if (activation == Activation::none || activation == Activation::gelu) expect_right(x, plain, e);
      }
    }
  }
}

TEST_P(LinearPaths, AgreeOnAnyStridesAndRanks) {
  const auto dtype = GetParam();
  const auto w = weights(17, 31, dtype);
  const Tensor residual = random({5, 31, 3}, 17, dtype).transpose(1, 2);
  expect_right(random({17}, 1, dtype), w);
  expect_right(random({2, 3, 4, 17}, 2, dtype), w);
  expect_right(random({17, 5}, 3, dtype).t(), w);
  expect_right(random({5, 3, 40}, 4, dtype).slice(2, 20, 37), w);
  expect_right(random({5, 6, 17}, 5, dtype).slice(1, 0, 6, 2), w);
  expect_right(random({1, 1, 17}, 6, dtype).expand({5, 3, 17}), w);
  expect_right(random({5, 3, 17}, 7, dtype), w, {.residual = residual});
  expect_right(random({5, 3, 34}, 8, dtype).slice(2, 0, 34, 2), w, {.residual = residual});
  expect_right(random({0, 3, 17}, 9, dtype), w);
}

TEST_P(LinearPaths, LeaveTheirInputsAsTheyWere) {
  const auto w = weights(17, 31, GetParam());
  const Tensor x = random({3, 17}, 1, GetParam()), residual = random({3, 31}, 2, GetParam());
  const Tensor x_before = x.clone(), residual_before = residual.clone();
  const c10::InferenceMode inference;
  linear(x, w, {.residual = residual});
  linear(x, w, {.activation = Activation::relu, .residual = residual});
  EXPECT_TRUE(same(x, x_before));
  EXPECT_TRUE(same(residual, residual_before));
}

TEST_P(LinearPaths, TakeTheReferenceOnThePackedWeightOfAFrozenModel) {
  auto w = weights(31, 17, GetParam());
  const Tensor x = random({3, 31}, 1, GetParam()), expected = linear(x, {w.weight, w.bias, {}});
  w.weight = Tensor();
  reset_path_counts();
  EXPECT_TRUE(same(linear(x, w), expected));  // no InferenceMode
  EXPECT_EQ(path_counts().reference, 1);
}

TEST_P(LinearPaths, PackAndUnpackBitForBit) {
  for (const auto& [out, in] : {std::pair{1, 1}, {5, 17}, {31, 768}, {768, 5}, {2304, 768}}) {
    const Tensor weight = random({out, in}, 3, GetParam());
    EXPECT_TRUE(same(unpack_linear(*pack_linear(weight, {})), weight)) << out << " x " << in;
    const Tensor view = random({in, out}, 3, GetParam()).t();
    EXPECT_TRUE(same(unpack_linear(*pack_linear(view, {})), view)) << out << " x " << in << " transposed";
  }
}

TEST_P(LinearPaths, FusedIsRefusedWithTheReason) {
  const auto w = weights(17, 31, GetParam());
  const Tensor x = random({3, 17}, 1, GetParam());
  const PolicyScope scope(Policy::fused);
  EXPECT_THAT(error_of([&] { linear(x, w); }), HasSubstr("no InferenceMode"));
  const c10::InferenceMode inference;
  EXPECT_THAT(error_of([&] { linear(x, {w.weight, w.bias, {}}); }), HasSubstr("not packed"));
  EXPECT_THAT(error_of([&] { linear(x.to(at::kDouble), w); }), HasSubstr("differ in dtype"));
  EXPECT_EQ(error_of([&] { linear(x, w); }), "");
}

INSTANTIATE_TEST_SUITE_P(Dtypes, LinearPaths, testing::Values(at::kFloat, at::kBFloat16),
                         [](const auto& test) { return test.param == at::kFloat ? "fp32" : "bf16"; });

TEST(Linear, HasTheGradientsOfFiniteDifferences) {
  const PolicyScope scope(Policy::reference);
  for (const auto activation : {Activation::none, Activation::gelu, Activation::silu}) {
    const auto f = [&](const std::vector<Tensor>& in) {
      return linear(in[0], {in[1], in[2], {}}, {.activation = activation, .scale = in[3], .residual = in[4]});
    };
    expect_right_gradients(
        f, {random({2, 3, 5}, 1, at::kDouble), random({4, 5}, 2, at::kDouble), random({4}, 3, at::kDouble),
            random({4}, 4, at::kDouble), random({2, 3, 4}, 5, at::kDouble)});
  }
}

TEST(Linear, IsDifferentiableWithPackedWeightsOutsideInferenceMode) {
  const auto w = weights(5, 4, at::kFloat);
  const Tensor x = random({3, 5}, 1).requires_grad_();
  linear(x, w).sum().backward();
  ASSERT_TRUE(x.grad().defined());  // oneDNN's own op would leave it undefined with nothing but a warning
  EXPECT_LT(difference(x.grad(), w.weight.sum(0).expand({3, 5})), 1e-6);
}

TEST(Linear, RefusesAnInputOfAnotherWidthAndNamesBoth) {
  const auto error = error_of([] { linear(random({2, 7}, 1), weights(5, 4, at::kFloat)); });
  EXPECT_THAT(error, HasSubstr("[..., 5]"));
  EXPECT_THAT(error, HasSubstr("[2, 7]"));
}

TEST(Linear, IsNotPackedWhereNoKernelExists) {
  EXPECT_FALSE(pack_linear(random({4, 4}, 1, at::kDouble), {}));
  EXPECT_FALSE(pack_linear(random({4, 4}, 1, at::kHalf), {}));
}

}  // namespace
}  // namespace nunchi::ops
