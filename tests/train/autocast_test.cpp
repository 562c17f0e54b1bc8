#include "train/autocast.h"

#include <ATen/ops/linear.h>

#include "ops/compare.h"
#include "ops/linear.h"
#include "ops/policy.h"

namespace nunchi::train {
namespace {

TEST(Autocast, MultipliesInBf16WhileItLives) {
  const Tensor x = random({64, 64}, 1), weight = random({64, 64}, 2);
  const ops::LinearWeights w{.weight = weight};
  {
    const Autocast autocast(at::kCPU);
    EXPECT_EQ(ops::linear(x, w).scalar_type(), at::kBFloat16);
    {
      const Autocast off(at::kCPU, false);
      EXPECT_EQ(ops::linear(x, w).scalar_type(), at::kFloat);
    }
    EXPECT_EQ(ops::linear(x, w).scalar_type(), at::kBFloat16);
  }
  EXPECT_EQ(ops::linear(x, w).scalar_type(), at::kFloat);
}

TEST(Autocast, GivesGradientsInTheDtypeOfTheWeights) {
  const Tensor x = random({64, 64}, 1), weight = random({64, 64}, 2).requires_grad_();
  Tensor loss;
  {
    const Autocast autocast(at::kCPU);
    loss = ops::linear(x, {.weight = weight}).to(at::kFloat).pow(2).mean();
  }
  loss.backward();
  EXPECT_EQ(weight.grad().scalar_type(), at::kFloat);
  const Tensor exact = 2 * at::linear(x, weight.detach()).t().matmul(x) / 4096;
  EXPECT_LT(difference(weight.grad(), exact), 2e-2);
}

TEST(Autocast, CastsAWeightOnceAndForgetsItAfterwards) {
  const Tensor x = random({64, 64}, 1), weight = random({64, 64}, 2).requires_grad_();
  const auto product = [&] {
    const Autocast autocast(at::kCPU);
    return ops::linear(x, {.weight = weight}).detach();
  };
  const Tensor before = product();
  weight.detach().mul_(2);
  EXPECT_LT(difference(product(), before * 2), 1e-6);
}

}  // namespace
}  // namespace nunchi::train
