#include "train/ema.h"

#include <ATen/ops/full.h>
#include <gmock/gmock.h>

#include <cmath>

#include "nn/conv_norm.h"
#include "nn/named.h"
#include "ops/compare.h"

namespace nunchi::train {
namespace {

struct Net : nn::ConvNorm {
  Net() : nn::ConvNorm({.in = 1, .out = 2}) { nn::randomise(*this, 1); }
  Tensor& tensor(const std::string& name) { return nn::named(*this, name); }
};

const std::string weight = "convolution.weight", mean = "normalization.running_mean",
                  counter = "normalization.num_batches_tracked";

TEST(Ema, ClosesTheGapByItsDecay) {  // R100: after n steps of a constant model it is decay^n
  Net net;
  Ema ema(net, 0.9);
  const Tensor before = net.tensor(weight).clone(), mean_before = net.tensor(mean).clone();
  net.tensor(weight).add_(1);
  net.tensor(mean).add_(2);
  net.tensor(counter).fill_(7);
  for (int i = 0; i < 5; ++i) ema.update();
  ema.swap();
  const double rest = 1 - std::pow(0.9, 5);
  EXPECT_LT(difference(net.tensor(weight), before + rest), 1e-6);
  EXPECT_LT(difference(net.tensor(mean), mean_before + 2 * rest), 1e-6);
  EXPECT_EQ(net.tensor(counter).item<std::int64_t>(), 7);
}

TEST(Ema, SwapsBackToTheVeryTensors) {
  Net net;
  Ema ema(net, 0.9);
  net.tensor(weight).requires_grad_();
  const Tensor trained = net.tensor(weight);
  ema.swap();
  EXPECT_TRUE(ema.is_swapped());
  EXPECT_FALSE(net.tensor(weight).is_same(trained));
  EXPECT_FALSE(net.tensor(weight).requires_grad());
  ema.swap();
  EXPECT_TRUE(net.tensor(weight).is_same(trained));
}

TEST(Ema, ContinuesFromItsState) {
  Net net;
  Ema ema(net, 0.5);
  net.tensor(weight).add_(1);
  ema.update();
  std::map<std::string, Tensor> saved;
  for (const auto& [name, tensor] : ema.state()) saved[name] = tensor.clone();
  Ema second(net, 0.5);
  second.restore(saved);
  for (std::size_t i = 0; i < saved.size(); ++i) EXPECT_TRUE(same(second.state()[i].second, ema.state()[i].second));
  saved.erase(mean);
  EXPECT_THAT([&] { second.restore(saved); }, testing::ThrowsMessage<Error>(testing::HasSubstr(mean)));
}

}  // namespace
}  // namespace nunchi::train
