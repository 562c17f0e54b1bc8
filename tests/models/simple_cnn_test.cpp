#include "models/simple_cnn.h"

#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include "core/in_child.h"
#include "models/architectures.h"
#include "nn/named.h"
#include "ops/compare.h"
#include "weights/checkpoint.h"

namespace nunchi::models {
namespace {

using testing::HasSubstr;

TEST(SimpleCnn, HasTheGivenParameterCount) {  // R029
  EXPECT_EQ(build_named("simple_cnn").model->parameter_count(), 1'147'914);
}

TEST(SimpleCnn, ReadsTheMapChannelByChannel) {  // as flatten(1) of [b, c, h, w], whatever the layout in memory
  SimpleCnn net({});
  randomise(net, 1);
  const auto output = net.forward(random({2, 3, 32, 32}, 2), {.hidden_states = true});
  EXPECT_EQ(output.feature_maps.at(1).sizes(), at::IntArrayRef({2, 64, 8, 8}));
  const Tensor flat = output.last_hidden_state.contiguous().view({2, 128 * 16});
  const Tensor hidden =
      (flat.matmul(nn::named(net, "classifier.1.weight").t()) + nn::named(net, "classifier.1.bias")).relu();
  EXPECT_LT(difference(output.pooler_output, hidden), 1e-5);
  EXPECT_EQ(output.logits.sizes(), at::IntArrayRef({2, 10}));
}

TEST(SimpleCnn, IsTheSameFrozen) {
  SimpleCnn net({});
  randomise(net, 1);
  const Tensor image = random({2, 3, 32, 32}, 2), expected = net.forward(image).logits;
  for (const auto precision : {nn::Precision::fp32, nn::Precision::bf16}) {
    weights::freeze(net, precision);
    const c10::InferenceMode inference;
    EXPECT_LT(difference(net.forward(image.to(nn::activation_dtype(precision))).logits, expected),
              precision == nn::Precision::fp32 ? 1e-5 : 0.05);
  }
}

TEST(SimpleCnn, DropsInTrainingOnly) {
  SimpleCnn net({});
  randomise(net, 1);
  const Tensor image = random({2, 3, 32, 32}, 2);
  EXPECT_TRUE(same(net.forward(image).logits, net.forward(image).logits));
  net.train(true);
  EXPECT_FALSE(same(net.forward(image).logits, net.forward(image).logits));
}

TEST(SimpleCnn, TakesSizesFromTheTensorsOfABareStateDict) {
  SimpleCnn small({.classes = 4, .hidden = 12, .widths = {4, 6, 8}});
  Source source{.publisher = Publisher::original, .name = "SimpleCnn"};
  source.sizes_from_shapes = true;
  for (const auto& [name, slot] : small.tensors()) source.shapes[name] = slot->shape;
  EXPECT_EQ(build_simple_cnn(source).model->parameter_count(), small.parameter_count());
}

TEST(SimpleCnn, ReadsOneSizeOfPictures) {
  SimpleCnn net({});
  randomise(net, 1);
  EXPECT_THAT(error_of([&] { net.forward(random({1, 3, 224, 224}, 1)); }), HasSubstr("32x32"));
}

}  // namespace
}  // namespace nunchi::models
