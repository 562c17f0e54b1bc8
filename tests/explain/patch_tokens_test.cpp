#include "explain/patch_tokens.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <gmock/gmock.h>

#include "nn/watch.h"
#include "tasks/cases.h"
#include "tasks/vision_model.h"

namespace nunchi::explain {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

models::ModelOutput output_of(const std::string& name) {
  const tasks::VisionModel model({.path = case_model(name)});
  const auto shape = model.network().input_shape();
  return model.forward(at::rand({1, shape[0], shape[1], shape[2]}));
}

TEST(PatchTokens, LeaveOutClassAndRegisterTokens) {
  const auto output = output_of("dinov2_registers");
  ASSERT_GT(output.registers, 0);
  const auto patches = patch_tokens(output);
  EXPECT_EQ(patches.grid, output.grid);
  EXPECT_TRUE(at::equal(patches.values, output.last_hidden_state.slice(1, 1 + output.registers)));
}

TEST(PatchTokens, OfStagesAreThePlacesOfTheLastMap) {
  for (const auto* name : {"swin_classifier", "resnet_basic", "mobilenet_v2"}) {
    const auto output = output_of(name);
    const auto patches = patch_tokens(output);
    EXPECT_EQ(patches.values.size(1), patches.count()) << name;
    const Tensor& map = output.last_hidden_state;
    if (map.dim() != 4) continue;
    EXPECT_TRUE(at::equal(patches.values[0][patches.count() - 1],
                          map[0].select(2, map.size(3) - 1).select(1, map.size(2) - 1)));
  }
}

TEST(PatchTokens, OfALayerAreItsPlacesInThePicture) {
  const tasks::VisionModel model({.path = case_model("dinov2_registers")});
  const auto shape = model.network().input_shape();
  const auto anatomy = anatomy_of(model, shape);
  std::vector<Tensor> norm;
  const nn::Watch watch(model.network(), [&](const std::string& layer, const Tensor& y) {
    if (layer == "norm") norm.push_back(y);
    return y;
  });
  const auto output = model.forward(at::rand({1, shape[0], shape[1], shape[2]}));
  ASSERT_EQ(norm.size(), 1u);
  const auto patches = patch_tokens_of_layer("norm", norm[0], anatomy);
  EXPECT_EQ(patches.grid, output.grid);
  EXPECT_TRUE(at::equal(patches.values, patch_tokens(output).values));
  EXPECT_THAT(
      [&] {
        patch_tokens_of_layer("head", at::rand({1, 10}), anatomy);
      },
      ThrowsMessage<Error>(HasSubstr("--layer head")));
}

TEST(PatchTokens, ANetworkWithoutThemSaysWhatToUse) {
  EXPECT_THAT([] { patch_tokens({}); }, ThrowsMessage<Error>(HasSubstr("nunchi embed")));
}

TEST(PatchTokens, AListOfRowsComesBackInParts) {
  const PatchTokens first{.values = at::rand({1, 6, 4}), .grid = {2, 3}},
      second{.values = at::rand({1, 2, 4}), .grid = {1, 2}};
  const auto parts = parted(joined_rows({first, second}), {first, second});
  EXPECT_TRUE(at::equal(parts[0], first.values[0]));
  EXPECT_TRUE(at::equal(parts[1], second.values[0]));
}

TEST(PatchTokens, APatchOutsideTheGridIsRefused) {
  EXPECT_EQ(patch_index({3, 5}, 2, 4), 14);
  EXPECT_THAT([] { patch_index({3, 5}, 3, 0); }, ThrowsMessage<Error>(HasSubstr("row from 0 to 2")));
  EXPECT_THROW(patch_index({3, 5}, 0, -1), Error);
}

}  // namespace
}  // namespace nunchi::explain
