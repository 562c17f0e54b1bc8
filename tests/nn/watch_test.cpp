#include "nn/watch.h"

#include <ATen/ops/ones.h>
#include <ATen/ops/zeros_like.h>
#include <gmock/gmock.h>

#include "nn/block.h"
#include "nn/conv_norm.h"

namespace nunchi::nn {
namespace {

using testing::ElementsAre;

struct Twice : Module {
  Linear first, second;
  Twice() : first(3, 3), second(3, 3) {
    child("first", first);
    child("second", second);
    for (Linear* layer : {&first, &second}) {
      layer->weights.weight = at::ones({3, 3});
      layer->weights.bias = at::ones({3});
    }
  }
  Tensor forward(const Tensor& x) const { return seen(second.forward(first.forward(x))); }
};

TEST(Watch, SeesEveryLayerInItsOrderUnderTheNameOfItsTensors) {
  Twice model;
  std::vector<std::string> seen;
  {
    const Watch watch(model, [&](const std::string& layer, const Tensor& y) {
      seen.push_back(layer);
      return y;
    });
    model.forward(at::ones({1, 3}));
  }
  EXPECT_THAT(seen, ElementsAre("first", "second"));
  model.forward(at::ones({1, 3}));
  EXPECT_EQ(seen.size(), 2U) << "nothing is left behind";
}

TEST(Watch, PutsSomethingElseInItsPlace) {
  Twice model;
  const Watch watch(model,
                    [](const std::string& layer, const Tensor& y) { return layer == "first" ? at::zeros_like(y) : y; });
  EXPECT_TRUE(model.forward(at::ones({1, 3})).equal(at::ones({1, 3})));  // the second layer's bias
}

TEST(Watch, OnlyTheInnermostSees) {
  Twice model;
  int outer = 0, inner = 0;
  const auto count = [](int& calls) {
    return [&calls](const std::string&, const Tensor& y) {
      ++calls;
      return y;
    };
  };
  const Watch first(model, count(outer));
  {
    const Watch second(model, count(inner));
    model.forward(at::ones({1, 3}));
  }
  EXPECT_EQ(outer, 0);
  EXPECT_EQ(inner, 2);
  model.forward(at::ones({1, 3}));
  EXPECT_EQ(outer, 2);
}

TEST(Watch, AnotherModelIsNotSeen) {
  Twice watched, other;
  int calls = 0;
  const Watch watch(watched, [&](const std::string&, const Tensor& y) {
    ++calls;
    return y;
  });
  other.forward(at::ones({1, 3}));
  EXPECT_EQ(calls, 0);
}

TEST(Layers, AChildWithoutANameIsToldByItsTensors) {
  struct Stem : Module {
    ConvNorm a{{.convolution_key = "conv1", .normalization_key = "bn1"}};
    ConvNorm b{{.convolution_key = "conv2", .normalization_key = "bn2"}};
    Stem() {
      child("", a);
      child("", b);
    }
  } stem;
  std::vector<std::string> names;
  for (const auto& [name, layer] : stem.layers()) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("conv1", "conv2"));
}

}  // namespace
}  // namespace nunchi::nn
