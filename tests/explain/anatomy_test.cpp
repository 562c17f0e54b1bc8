#include "explain/anatomy.h"

#include <ATen/ops/arange.h>
#include <gmock/gmock.h>

#include "core/in_child.h"
#include "explain/small_models.h"

namespace nunchi::explain {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

Anatomy anatomy_of_case(const std::string& name) {
  const auto model = small_model(name);
  return anatomy_of(model, model.network().input_shape());
}

const Layer& layer_of(const Anatomy& anatomy, const std::string& name) {
  return *std::ranges::find(anatomy.layers, name, &Layer::name);
}

// Every family names a layer that it has, and whose values lie over the picture.
TEST(Anatomy, EveryFamilyHasItsMapLayer) {
  for (const char* name :
       {"vit_classifier", "deit_distilled", "dinov2_registers_classifier", "beit_classifier", "timm_eva02", "dinov3",
        "swin_classifier", "swinv2_classifier", "timm_swin_non_square", "resnet_basic", "resnet_bottleneck",
        "mobilenet_v2", "mobilenet_v2_odd_size", "convnext", "timm_resnext", "timm_vit_hybrid_stem"}) {
    const auto anatomy = anatomy_of_case(name);
    EXPECT_THAT(map_layers(anatomy), Contains(anatomy.map_layer)) << name;
  }
}

TEST(Anatomy, LayersBearTheNamesOfTheirTensors) {
  const auto anatomy = anatomy_of_case("vit_classifier");
  EXPECT_EQ(anatomy.map_layer, "blocks.2.norm1");
  EXPECT_EQ(layer_of(anatomy, "blocks.2.norm1").shape.size(), 3U);
  EXPECT_EQ(layer_of(anatomy, "head").shape, (Shape{1, 7}));
  EXPECT_EQ(std::ranges::count(anatomy_of_case("mobilenet_v2").layers, "layer.3.conv_3x3", &Layer::name), 1);
}

TEST(Anatomy, AGroupMeansItsLastLayer) {
  const auto anatomy = anatomy_of_case("resnet_bottleneck");
  EXPECT_EQ(layer_named(anatomy, "layer2"),
            layer_named(anatomy, "layer2." + std::to_string([&] {
                                   int last = 0;
                                   for (const auto& layer : anatomy.layers) {
                                     if (layer.name.starts_with("layer2.") && layer.name.size() == 8)
                                       last = std::max(last, layer.name[7] - '0');
                                   }
                                   return last;
                                 }())));
}

TEST(Anatomy, AnUnknownLayerIsToldTheNearest) {
  const auto anatomy = anatomy_of_case("vit_classifier");
  EXPECT_THAT(error_of([&] { layer_named(anatomy, "blocks.1.nrom1"); }), HasSubstr("the nearest is blocks.1.norm1"));
  EXPECT_THAT(error_of([&] { layer_named(anatomy, ""); }), HasSubstr("no such layer"));
}

TEST(Anatomy, TokensBecomeTheMapThatTheyLieIn) {
  const Anatomy anatomy = {.layers = {}, .image = {48, 32}, .prefix_tokens = 2, .grid = {6, 4}};
  const Tensor tokens = at::arange(26 * 7).view({1, 26, 7});
  const Tensor map = as_map(tokens, anatomy);
  ASSERT_EQ(map.sizes(), (Shape{1, 7, 6, 4}));
  EXPECT_EQ(map[0][1][0][0].item<int>(), 2 * 7 + 1);   // the first patch stands behind two tokens
  EXPECT_EQ(map[0][2][5][3].item<int>(), 25 * 7 + 2);  // the last one
  EXPECT_TRUE(as_map(map, anatomy).equal(map));        // channels first
  EXPECT_TRUE(as_map(map.permute({0, 2, 3, 1}), anatomy).equal(map));
  EXPECT_FALSE(is_map({1, 768}, anatomy));
  EXPECT_FALSE(is_map({4, 49, 96}, anatomy) && anatomy.grid[0] == 7);
  EXPECT_TRUE(is_map({1, 12 * 8, 96}, anatomy));  // tokens of a finer stage
}

}  // namespace
}  // namespace nunchi::explain
