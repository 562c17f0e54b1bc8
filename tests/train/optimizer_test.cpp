#include "train/optimizer.h"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros_like.h>
#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "ops/compare.h"

namespace nunchi::train {
namespace {

using testing::HasSubstr;

// The steps of the papers, in double.
struct PlainAdamW {
  double rate, decay, beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
  Tensor first = {}, second = {};
  int steps = 0;
  Tensor operator()(const Tensor& value, const Tensor& gradient) {
    if (steps++ == 0) first = second = at::zeros_like(value);
    first = beta1 * first + (1 - beta1) * gradient;
    second = beta2 * second + (1 - beta2) * gradient * gradient;
    const Tensor unbiased = first / (1 - std::pow(beta1, steps)), root = (second / (1 - std::pow(beta2, steps))).sqrt();
    return value - rate * decay * value - rate * unbiased / (root + eps);
  }
};

struct PlainSgd {
  double rate, decay, momentum;
  bool nesterov;
  Tensor buffer = {};
  Tensor operator()(const Tensor& value, const Tensor& gradient) {
    const Tensor decayed = gradient + decay * value;
    buffer = buffer.defined() ? momentum * buffer + decayed : decayed;
    return value - rate * (nesterov ? decayed + momentum * buffer : buffer);
  }
};

ParameterGroup group_of(const Tensor& value, double decay, double rate_scale = 1) {
  return {.name = "all",
          .names = {"value"},
          .parameters = {value.clone().requires_grad_()},
          .weight_decay = decay,
          .rate_scale = rate_scale};
}

// Down a quartic bowl, so that gradients change from step to step.
Tensor slope(const Tensor& value, const Tensor& target) { return (value - target) * (value - target).abs() + 0.1; }

template <class Plain>
void expect_the_same_steps(const OptimizerOptions& options, Plain plain, double decay) {
  const Tensor start = random({5, 7}, 1), target = random({5, 7}, 2);
  const auto group = group_of(start, decay, 0.5);
  const Tensor& value = group.parameters[0];
  const auto optimizer = make_optimizer(options, {group});
  Tensor exact = start.to(at::kDouble);
  for (int step = 0; step < 10; ++step) {
    const Tensor gradient = slope(exact, target.to(at::kDouble));
    exact = plain(exact, gradient);
    value.mutable_grad() = gradient.to(at::kFloat);
    optimizer->step(0.04);
    EXPECT_LT(difference(value, exact), 1e-6) << "step " << step;
  }
}

TEST(Optimizer, AdamWMakesTheStepsOfItsPaper) {
  expect_the_same_steps({}, PlainAdamW{.rate = 0.02, .decay = 0.05}, 0.05);
  expect_the_same_steps({.beta1 = 0.8, .beta2 = 0.95, .eps = 1e-3},
                        PlainAdamW{.rate = 0.02, .decay = 0, .beta1 = 0.8, .beta2 = 0.95, .eps = 1e-3}, 0);
}

TEST(Optimizer, SgdMakesTheStepsOfItsPaper) {
  for (const double momentum : {0.0, 0.9}) {
    for (const bool nesterov : {false, momentum > 0}) {
      expect_the_same_steps({.kind = OptimizerKind::sgd, .momentum = momentum, .nesterov = nesterov},
                            PlainSgd{0.02, 1e-2, momentum, nesterov}, 1e-2);
    }
  }
}

// torch.optim 2.13, in float64: ten steps from (1, -2, 0.5) with gradient value - (0.3, 0.1, 0.7), rate 0.01.
TEST(Optimizer, GivesTheNumbersOfPyTorch) {
  const Tensor target = at::empty({3}, at::kFloat);
  const double targets[] = {0.3, 0.1, 0.7}, starts[] = {1, -2, 0.5};
  const Tensor start = at::empty({3}, at::kFloat);
  for (int i = 0; i < 3; ++i) {
    target[i].fill_(targets[i]);
    start[i].fill_(starts[i]);
  }
  const std::pair<OptimizerOptions, std::array<double, 3>> cases[] = {
      {{}, {0.8957812604, -1.8904228232, 0.5949180536}},
      {{.kind = OptimizerKind::sgd, .momentum = 0.9}, {0.7170694493, -1.1700703847, 0.5660171285}},
      {{.kind = OptimizerKind::sgd, .momentum = 0.9, .nesterov = true}, {0.6888989222, -1.0874368383, 0.5725902515}},
  };
  for (const auto& [options, expected] : cases) {
    const auto group = group_of(start, 0.05);
    const Tensor& value = group.parameters[0];
    const auto optimizer = make_optimizer(options, {group});
    for (int step = 0; step < 10; ++step) {
      value.mutable_grad() = value.detach() - target;
      optimizer->step(0.01);
    }
    for (int i = 0; i < 3; ++i)
      EXPECT_NEAR(value[i].item<double>(), expected[static_cast<std::size_t>(i)], 1e-6 * std::abs(starts[i])) << i;
  }
}

TEST(Optimizer, ReadsGradientsOfOtherStrides) {
  const Tensor start = random({4, 6}, 1), gradient = random({6, 4}, 2).t();
  Tensor results[2];
  for (const bool strided : {true, false}) {
    const auto group = group_of(start, 0);
    group.parameters[0].mutable_grad() = strided ? gradient : gradient.contiguous();
    make_optimizer({}, {group})->step(0.1);
    results[strided] = group.parameters[0].detach();
  }
  EXPECT_TRUE(same(results[0], results[1]));
}

TEST(Optimizer, LeavesParametersWithoutGradient) {
  const auto group = group_of(random({4}, 1), 0.5);
  for (const auto kind : {OptimizerKind::adamw, OptimizerKind::sgd}) {
    make_optimizer({.kind = kind}, {group})->step(0.1);
    EXPECT_TRUE(same(group.parameters[0].detach(), random({4}, 1)));
  }
}

TEST(Optimizer, ContinuesFromItsStateBitForBit) {
  for (const auto kind : {OptimizerKind::adamw, OptimizerKind::sgd}) {
    const Tensor target = random({8}, 2);
    const auto walk = [&](const ParameterGroup& group, Optimizer& optimizer, int steps) {
      for (int i = 0; i < steps; ++i) {
        group.parameters[0].mutable_grad() = slope(group.parameters[0].detach(), target);
        optimizer.step(0.01);
      }
    };
    const auto whole = group_of(random({8}, 1), 0.05);
    const auto first = make_optimizer({.kind = kind}, {whole});
    walk(whole, *first, 3);
    std::map<std::string, Tensor> saved;
    for (const auto& [name, tensor] : first->state()) saved[name] = tensor.clone();
    const auto resumed = group_of(whole.parameters[0].detach(), 0.05);
    const auto second = make_optimizer({.kind = kind}, {resumed});
    second->restore(saved);
    walk(whole, *first, 4);
    walk(resumed, *second, 4);
    EXPECT_TRUE(same(whole.parameters[0].detach(), resumed.parameters[0].detach()));
  }
}

TEST(Optimizer, NamesWhatAStateLacks) {
  const auto optimizer = make_optimizer({}, {group_of(random({8}, 1), 0)});
  EXPECT_THAT([&] { optimizer->restore({}); }, testing::ThrowsMessage<Error>(HasSubstr("first_moment.value")));
  EXPECT_THAT([] { optimizer_kind_from_name("lion"); }, testing::ThrowsMessage<Error>(HasSubstr("adamw, sgd")));
}

TEST(Optimizer, ClearsGradients) {
  const auto group = group_of(random({8}, 1), 0);
  group.parameters[0].mutable_grad() = random({8}, 2);
  make_optimizer({}, {group})->clear_gradients();
  EXPECT_FALSE(group.parameters[0].grad().defined());
}

class ClipGradients : public testing::Test {
 protected:
  ParameterGroup first = group_of(random({2}, 1), 0), second = group_of(random({1}, 1), 0);
  std::vector<ParameterGroup> groups = {first, second};
  void SetUp() override {
    first.parameters[0].mutable_grad() = at::full({2}, 2.0);
    second.parameters[0].mutable_grad() = at::full({1}, 1.0);
  }
  double value() const { return second.parameters[0].grad().item<double>(); }
};

TEST_F(ClipGradients, ScalesThemToTheLength) {
  EXPECT_NEAR(clip_gradients(groups, 1.5), 3, 1e-6);
  EXPECT_NEAR(value(), 0.5, 1e-6);
  EXPECT_NEAR(clip_gradients(groups, 100), 1.5, 1e-6);
  EXPECT_NEAR(value(), 0.5, 1e-6);
}

TEST_F(ClipGradients, OnlyMeasuresWithoutALimitOrANumber) {
  EXPECT_NEAR(clip_gradients(groups, 0), 3, 1e-6);
  EXPECT_EQ(value(), 1);
  first.parameters[0].mutable_grad().fill_(std::numeric_limits<double>::infinity());
  EXPECT_FALSE(std::isfinite(clip_gradients(groups, 1)));
  EXPECT_EQ(value(), 1);
}

}  // namespace
}  // namespace nunchi::train
