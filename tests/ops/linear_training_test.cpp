#include "ops/linear_training.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/linear.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include "core/in_child.h"
#include "ops/compare.h"
#include "ops/linear.h"
#include "ops/policy.h"
#include "ops/weight_gradient.h"

namespace nunchi::ops {
namespace {

using testing::HasSubstr;

struct Inputs {
  Tensor x, weight, bias, residual;
};

struct Case {
  std::int64_t rows, in, out;
  bool bias = true, residual = false;
};

Inputs inputs_of(const Case& c, at::ScalarType dtype) {
  const auto leaf = [&](Shape shape, std::uint64_t seed) { return random(shape, seed, dtype).requires_grad_(); };
  return {.x = leaf({2, c.rows, c.in}, 1),
          .weight = leaf({c.out, c.in}, 2),
          .bias = c.bias ? leaf({c.out}, 3) : Tensor(),
          .residual = c.residual ? leaf({2, c.rows, c.out}, 4) : Tensor()};
}

Tensor run(const Inputs& in) {
  Epilogue epilogue;
  if (in.residual.defined()) epilogue.residual = in.residual;
  const Tensor y = linear(in.x, {.weight = in.weight, .bias = in.bias}, epilogue);
  (y * random(y.sizes().vec(), 5, y.scalar_type())).sum().backward();
  return y;
}

void expect_the_reference(const Case& c) {
  SCOPED_TRACE(testing::Message() << c.rows << " rows, " << c.in << " -> " << c.out << ", bias " << c.bias
                                  << ", residual " << c.residual);
  const auto fast = inputs_of(c, at::kFloat), exact = inputs_of(c, at::kDouble);
  reset_path_counts();
  const Tensor y = run(fast);
  EXPECT_EQ(path_counts().fused, 1);
  const PolicyScope scope(Policy::reference);
  EXPECT_LT(difference(y, run(exact)), 3e-6);
  EXPECT_EQ(path_counts().reference, 1);
  const std::pair<const Tensor&, const Tensor&> pairs[] = {
      {fast.x, exact.x}, {fast.weight, exact.weight}, {fast.bias, exact.bias}, {fast.residual, exact.residual}};
  for (const auto& [found, expected] : pairs) {
    if (!found.defined()) continue;
    ASSERT_TRUE(found.grad().defined());
    EXPECT_LT(difference(found.grad(), expected.grad()), 3e-6);
  }
}

TEST(LinearTraining, EqualsTheReferenceOnOddSizes) {
  for (const auto& [in, out] : {std::pair{77, 35}, {35, 77}, {64, 64}, {193, 31}, {31, 769}, {769, 193}}) {
    for (const std::int64_t rows : {65, 128, 301}) {
      for (const bool bias : {true, false}) expect_the_reference({rows, in, out, bias, rows == 65});
    }
  }
  expect_the_reference({400, 1, 300});
  expect_the_reference({400, 300, 1});
}

TEST(LinearTraining, TakesInputsOfAnyStrides) {
  const Tensor x = random({48, 70, 5}, 1).permute({2, 1, 0}).requires_grad_();
  const Tensor weight = random({48, 96}, 2).t().requires_grad_(), dy = random({96, 70, 5}, 3).permute({2, 1, 0});
  reset_path_counts();
  linear(x, {.weight = weight, .bias = {}}).backward(dy);
  EXPECT_EQ(path_counts().fused, 1);
  const Tensor rows = dy.reshape({-1, 96});
  EXPECT_LT(difference(x.grad(), dy.matmul(weight.detach())), 3e-6);
  EXPECT_LT(difference(weight.grad(), rows.t().matmul(x.detach().reshape({-1, 48}))), 3e-6);
}

TEST(LinearTraining, GivesOnlyTheGradientsThatAreAskedFor) {
  auto in = inputs_of({128, 32, 48, true, true}, at::kFloat);
  in.weight.requires_grad_(false);
  in.residual.requires_grad_(false);
  run(in);
  EXPECT_TRUE(in.x.grad().defined() && in.bias.grad().defined());
  EXPECT_FALSE(in.weight.grad().defined() || in.residual.grad().defined());
}

TEST(LinearTraining, RunsWithoutGradients) {
  const auto in = inputs_of({128, 32, 48}, at::kFloat);
  const Tensor expected = at::linear(in.x, in.weight, in.bias).detach();
  const LinearWeights w{.weight = in.weight, .bias = in.bias};
  reset_path_counts();
  {
    const at::NoGradGuard no_grad;
    EXPECT_LT(difference(linear(in.x, w), expected), 1e-5);
  }
  const c10::InferenceMode inference;
  EXPECT_LT(difference(linear(in.x, w), expected), 1e-5);
  EXPECT_EQ(path_counts().fused, 2);
}

TEST(LinearTraining, ActivatesAndScalesAsTheReference) {
  const auto in = inputs_of({128, 32, 48, true, true}, at::kFloat);
  const LinearWeights w{.weight = in.weight, .bias = in.bias};
  const Tensor kept = random({2, 1, 1}, 8);
  for (const Epilogue& epilogue :
       {Epilogue{.activation = Activation::gelu, .residual = in.residual},
        Epilogue{.scale = random({48}, 7), .residual = in.residual}, Epilogue{.residual = in.residual, .kept = kept},
        Epilogue{.residual = random({48}, 9)}}) {
    const Tensor fast = linear(in.x, w, epilogue);
    const PolicyScope scope(Policy::reference);
    EXPECT_LT(difference(fast, linear(in.x, w, epilogue)), 3e-6);
  }
}

TEST(LinearTraining, HasGradientsOfGradients) {
  const auto in = inputs_of({64, 32, 48}, at::kFloat);
  const auto penalty = [&] {
    const Tensor y = linear(in.x, {.weight = in.weight, .bias = in.bias});
    return y.pow(3).sum();
  };
  const auto clear = [&] {
    for (const Tensor* t : {&in.x, &in.weight, &in.bias}) t->mutable_grad() = Tensor();
  };
  const auto second = [&] {
    clear();
    penalty().backward({}, /*retain_graph=*/true, /*create_graph=*/true);
    const Tensor gradient = in.x.grad();
    clear();
    gradient.pow(2).sum().backward();
    return in.weight.grad();
  };
  const Tensor fast = second();
  const PolicyScope scope(Policy::reference);
  EXPECT_LT(difference(fast, second()), 1e-5);
}

TEST(LinearTraining, IsRefusedWithTheReason) {
  const PolicyScope scope(Policy::fused);
  const auto refused = [](const Tensor& x, const Tensor& weight) {
    return error_of([&] { linear(x, {.weight = weight, .bias = {}}); });
  };
  EXPECT_THAT(refused(random({3, 17}, 1), random({31, 17}, 2)), HasSubstr("too little to multiply"));
  EXPECT_THAT(refused(random({512, 17}, 1, at::kDouble), random({31, 17}, 2, at::kDouble)), HasSubstr("not fp32"));
  EXPECT_EQ(refused(random({512, 17}, 1), random({31, 17}, 2)), "");
}

}  // namespace
}  // namespace nunchi::ops
