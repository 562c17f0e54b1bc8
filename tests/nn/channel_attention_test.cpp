#include "nn/channel_attention.h"

#include "nn/named.h"
#include "ops/compare.h"

namespace nunchi::nn {
namespace {

TEST(SqueezeExcite, ScalesEachChannelByWhatAllMeansSay) {
  SqueezeExcite layer(6, 4);
  randomise(layer, 1);
  const Tensor x = random({2, 6, 5, 3}, 2);
  const auto linear = [&](const Tensor& y, const std::string& name) {
    return y.matmul(named(layer, name + ".weight").t()) + named(layer, name + ".bias");
  };
  const Tensor gate = linear(linear(x.mean({2, 3}), "fc1").relu(), "fc2").sigmoid();
  EXPECT_LT(difference(layer.forward(x), x * gate.unsqueeze(2).unsqueeze(3)), 1e-6);
}

TEST(EfficientChannelAttention, LooksAtNeighboursOnly) {
  EfficientChannelAttention layer(64);
  randomise(layer, 1);
  const Tensor x = random({2, 64, 4, 4}, 2), weight = named(layer, "conv.weight").flatten();
  ASSERT_EQ(weight.numel(), 3);
  const Tensor y = layer.forward(x), means = x.mean({2, 3});
  for (const int channel : {1, 30, 63}) {
    Tensor sum = means.select(1, channel) * weight[1] + means.select(1, channel - 1) * weight[0];
    if (channel < 63) sum = sum + means.select(1, channel + 1) * weight[2];
    EXPECT_LT(difference(y.select(1, channel), x.select(1, channel) * sum.sigmoid().view({2, 1, 1})), 1e-6) << channel;
  }
}

TEST(EfficientChannelAttention, WidensWithTheChannels) {
  EXPECT_EQ(EfficientChannelAttention::kernel(64), 3);
  EXPECT_EQ(EfficientChannelAttention::kernel(256), 5);
  EXPECT_EQ(EfficientChannelAttention::kernel(512), 5);
  EXPECT_EQ(EfficientChannelAttention::kernel(2048), 7);
}

}  // namespace
}  // namespace nunchi::nn
