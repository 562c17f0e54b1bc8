#include "ops/activation.h"

#include <ATen/ops/scalar_tensor.h>
#include <gmock/gmock.h>

#include "core/in_child.h"
#include "ops/compare.h"

namespace nunchi::ops {
namespace {

using testing::HasSubstr;

constexpr Activation all[] = {
    Activation::none,  Activation::gelu,       Activation::gelu_tanh, Activation::quick_gelu, Activation::relu,
    Activation::relu6, Activation::silu,       Activation::tanh,      Activation::sigmoid,    Activation::hard_swish,
    Activation::elu,   Activation::leaky_relu, Activation::mish};

double at_point(Activation activation, double x) {
  return activate(at::scalar_tensor(x, at::kDouble), activation).item<double>();
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

TEST(Activation, GeluIsTheErfFormAndNotItsTanhApproximation) {  // R011
  EXPECT_NEAR(at_point(Activation::gelu, 1), .841345, 5e-7);
  EXPECT_NEAR(at_point(Activation::gelu_tanh, 1), .841192, 5e-7);
}

TEST(Activation, HasTheValuesOfItsFormula) {
  for (const double x : {-3.5, -1.0, -0.25, 0.0, 0.5, 2.0, 7.0}) {
    SCOPED_TRACE(x);
    EXPECT_NEAR(at_point(Activation::none, x), x, 1e-12);
    EXPECT_NEAR(at_point(Activation::gelu, x), x * 0.5 * std::erfc(-x / std::sqrt(2.0)), 1e-12);
    EXPECT_NEAR(at_point(Activation::gelu_tanh, x), x * sigmoid(2 * std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)),
                1e-12);
    EXPECT_NEAR(at_point(Activation::quick_gelu, x), x * sigmoid(1.702 * x), 1e-12);
    EXPECT_NEAR(at_point(Activation::relu, x), std::max(x, 0.0), 1e-12);
    EXPECT_NEAR(at_point(Activation::relu6, x), std::clamp(x, 0.0, 6.0), 1e-12);
    EXPECT_NEAR(at_point(Activation::silu, x), x * sigmoid(x), 1e-12);
    EXPECT_NEAR(at_point(Activation::tanh, x), std::tanh(x), 1e-12);
    EXPECT_NEAR(at_point(Activation::sigmoid, x), sigmoid(x), 1e-12);
    EXPECT_NEAR(at_point(Activation::hard_swish, x), x * std::clamp(x + 3, 0.0, 6.0) / 6, 1e-12);
    EXPECT_NEAR(at_point(Activation::elu, x), x > 0 ? x : std::expm1(x), 1e-12);
    EXPECT_NEAR(at_point(Activation::leaky_relu, x), x > 0 ? x : 0.01 * x, 1e-12);
    EXPECT_NEAR(at_point(Activation::mish, x), x * std::tanh(std::log1p(std::exp(x))), 1e-12);
  }
}

TEST(Activation, KeepsShapeAndDtype) {
  for (const auto activation : all) {
    for (const auto dtype : {at::kFloat, at::kBFloat16, at::kDouble}) {
      const Tensor y = activate(random({2, 3, 5}, 1, dtype), activation);
      EXPECT_EQ(y.sizes(), at::IntArrayRef({2, 3, 5}));
      EXPECT_EQ(y.scalar_type(), dtype);
    }
  }
}

TEST(Activation, HasTheGradientOfFiniteDifferences) {
  for (const auto activation : all) {
    SCOPED_TRACE(static_cast<int>(activation));
    expect_right_gradients([&](const auto& in) { return activate(in[0], activation); }, {random({7}, 2, at::kDouble)});
  }
}

TEST(Activation, IsFoundByTheNamesOfTransformers) {
  EXPECT_EQ(activation_from_name("gelu"), Activation::gelu);
  EXPECT_EQ(activation_from_name("gelu_new"), Activation::gelu_tanh);
  EXPECT_EQ(activation_from_name("gelu_pytorch_tanh"), Activation::gelu_tanh);
  EXPECT_EQ(activation_from_name("quick_gelu"), Activation::quick_gelu);
  EXPECT_EQ(activation_from_name("swish"), Activation::silu);
  EXPECT_EQ(activation_from_name("relu6"), Activation::relu6);
  EXPECT_EQ(activation_from_name("linear"), Activation::none);
}

TEST(Activation, RefusesAnUnknownNameAndListsTheKnown) {
  const auto error = error_of([] { activation_from_name("gellu"); });
  EXPECT_THAT(error, HasSubstr("\"gellu\""));
  EXPECT_THAT(error, HasSubstr("quick_gelu"));
}

}  // namespace
}  // namespace nunchi::ops
