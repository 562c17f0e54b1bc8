// What only training does: stochastic depth and dropout, in every family that has them.
#include <gmock/gmock.h>

#include "models/registry.h"
#include "nn/named.h"
#include "ops/compare.h"

namespace nunchi::models {
namespace {

struct Case {
  std::string name;
  Source source;
  std::vector<std::string> rates;  // by their publisher's names

  friend void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }
};

Source timm(const std::string& name, const Json& arguments) {
  return {.publisher = Publisher::timm, .name = name, .config = arguments};
}

const Json transformer = {{"img_size", 16}, {"patch_size", 8}, {"embed_dim", 16},
                          {"depth", 2},     {"num_heads", 2},  {"num_classes", 3}};
const std::vector<std::string> rates_of_timm = {"drop_path_rate", "drop_rate", "proj_drop_rate", "attn_drop_rate"};
const std::vector<Case> cases = {
    {"vit", timm("VisionTransformer", transformer), rates_of_timm},
    {"beit", timm("Beit", transformer), rates_of_timm},
    {"eva",
     timm("Eva", transformer),
     {"drop_path_rate", "drop_rate", "proj_drop_rate", "attn_drop_rate", "pos_drop_rate"}},
    {"mobilenet_v2",
     timm("MobileNetV2", {{"num_classes", 3}, {"channel_multiplier", 0.25}}),
     {"drop_path_rate", "drop_rate"}},
    {"mobilenet_v2_of_torchvision",
     {.publisher = Publisher::torchvision, .name = "MobileNetV2", .config = {{"num_classes", 3}, {"width_mult", 0.25}}},
     {"dropout"}},
};

class Regularisation : public testing::TestWithParam<Case> {
 protected:
  static Tensor logits(const Case& c, const std::string& rate, double value, bool training) {
    Source source = c.source;
    for (const auto& other : c.rates) source.config[other] = 0;
    source.config[rate] = value;
    const auto model = build(source).model;
    nn::randomise(*model, 1);
    model->train(training);
    model->rest_batch_norms();
    const auto shape = model->input_shape();
    return model->forward(random({8, shape[0], shape[1], shape[2]}, 2)).logits;
  }
};

TEST_P(Regularisation, IsDrawnInTrainingAlone) {
  for (const auto& rate : GetParam().rates) {
    const Tensor plain = logits(GetParam(), rate, 0, /*training=*/false);
    EXPECT_TRUE(same(logits(GetParam(), rate, 0.5, /*training=*/false), plain)) << rate;
    EXPECT_TRUE(same(logits(GetParam(), rate, 0, /*training=*/true), plain)) << rate;
    EXPECT_FALSE(same(logits(GetParam(), rate, 0.5, /*training=*/true), plain)) << rate;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, Regularisation, testing::ValuesIn(cases),
                         [](const auto& c) { return c.param.name; });

}  // namespace
}  // namespace nunchi::models
