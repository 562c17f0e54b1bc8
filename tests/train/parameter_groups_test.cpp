#include "train/parameter_groups.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "models/registry.h"
#include "models/resnet.h"
#include "models/swin.h"
#include "models/vit.h"
#include "nn/named.h"
#include "ops/compare.h"
#include "train/loss.h"

namespace nunchi::train {
namespace {

using testing::HasSubstr;

models::VitConfig tiny_vit() {
  return {.image_size = {16, 16}, .patch = {8, 8}, .dim = 16, .depth = 2, .heads = 2, .mlp_dim = 32, .classes = 5};
}

models::SwinConfig tiny_swin(bool second) {
  models::SwinConfig config;
  config.image_size = {32, 32};
  config.stages = models::swin_stages(8, {2, 1}, {2, 2}, {4, 4});
  config.second = second;
  config.absolute_positions = true;
  return config;
}

std::set<std::string> decayed(const std::vector<ParameterGroup>& groups) {
  std::set<std::string> names;
  for (const auto& group : groups) {
    if (group.weight_decay > 0) names.insert(group.names.begin(), group.names.end());
  }
  return names;
}

// Each trainable tensor in exactly one group, and that group holds this very tensor.
void expect_cover(nn::Module& model, const std::vector<ParameterGroup>& groups) {
  std::map<std::string, Tensor> grouped;
  for (const auto& group : groups) {
    ASSERT_EQ(group.names.size(), group.parameters.size());
    for (std::size_t i = 0; i < group.names.size(); ++i)
      EXPECT_TRUE(grouped.try_emplace(group.names[i], group.parameters[i]).second) << group.names[i] << " twice";
  }
  for (const auto& [name, slot] : model.tensors()) {
    EXPECT_EQ(grouped.contains(name), slot->trainable) << name;
    if (slot->trainable) {
      EXPECT_TRUE(grouped[name].is_same(*slot->tensor)) << name;
    }
    EXPECT_EQ(slot->tensor->requires_grad(), slot->trainable) << name;
  }
}

TEST(ParameterGroups, HoldEveryTrainableTensorOnce) {  // R092
  models::Vit vit(tiny_vit());
  models::Swin swin(tiny_swin(false)), swin_v2(tiny_swin(true));
  models::ResNet resnet(models::resnet18());
  for (models::Model* model : {static_cast<models::Model*>(&vit), static_cast<models::Model*>(&swin),
                               static_cast<models::Model*>(&swin_v2), static_cast<models::Model*>(&resnet)}) {
    nn::randomise(*model, 1);
    expect_cover(*model, parameter_groups(*model, {}));
  }
}

TEST(ParameterGroups, DecayOnlyMatrices) {  // R122
  auto config = tiny_vit();
  config.layer_scale = config.distillation = true;
  config.registers = 2;
  models::Vit vit(config);
  nn::randomise(vit, 1);
  const auto of_vit = decayed(parameter_groups(vit, {.weight_decay = 0.1}));
  EXPECT_THAT(of_vit, testing::IsSupersetOf({"patch_embed.proj.weight", "blocks.1.attn.qkv.weight", "head.weight"}));
  for (const auto& name : of_vit) {
    EXPECT_TRUE(name.ends_with(".weight")) << name;
    EXPECT_EQ(name.find("norm"), std::string::npos) << name;
  }
  models::Swin swin(tiny_swin(true));
  nn::randomise(swin, 1);
  for (const auto& name : decayed(parameter_groups(swin, {})))
    EXPECT_TRUE(name.ends_with(".weight") && name.find("cpb_mlp") == std::string::npos) << name;
}

TEST(ParameterGroups, HeadsHaveTheirOwnRate) {
  models::Vit vit(tiny_vit());
  nn::randomise(vit, 1);
  const auto groups = parameter_groups(vit, {.backbone_rate_scale = 0.01, .heads = {"head"}});
  expect_cover(vit, groups);
  for (const auto& group : groups) {
    for (const auto& name : group.names) EXPECT_EQ(group.rate_scale, name.starts_with("head.") ? 1 : 0.01) << name;
  }
}

TEST(ParameterGroups, FrozenBackbonesTrainTheHeadOnly) {  // R093: 5,130 values for ten classes
  auto config = models::resnet18();
  config.classes = 10;
  models::ResNet net(config);
  nn::randomise(net, 1);
  const auto groups = parameter_groups(net, {.freeze_backbone = true, .heads = {"fc"}});
  std::int64_t count = 0;
  for (const auto& group : groups) {
    for (const auto& parameter : group.parameters) count += parameter.numel();
  }
  EXPECT_EQ(count, 5130);
}

TEST(ParameterGroups, FrozenBatchNormsKeepTheirStatistics) {  // R093
  auto config = models::cifar_resnet(8);
  models::ResNet net(config);
  nn::randomise(net, 1);
  const auto mean_of = [&] { return nn::named(net, "layer1.0.bn1.running_mean").clone(); };
  const auto groups = parameter_groups(net, {.freeze_backbone = true, .heads = {"fc"}});
  start_training(net);
  EXPECT_TRUE(net.is_training());
  const Tensor before = mean_of(), image = random({2, 3, 32, 32}, 2);
  net.forward(image).logits.sum().backward();
  EXPECT_TRUE(same(mean_of(), before));
  for (const auto& [name, slot] : net.tensors()) EXPECT_EQ(slot->tensor->grad().defined(), name.starts_with("fc."));

  parameter_groups(net, {.heads = {"fc"}});
  start_training(net);
  net.forward(image);
  EXPECT_FALSE(same(mean_of(), before));
}

TEST(ParameterGroups, BatchNormsMayKeepTheirStatisticsWhileAllTrains) {
  auto config = models::cifar_resnet(8);
  models::ResNet net(config);
  nn::randomise(net, 1);
  const Tensor image = random({2, 3, 32, 32}, 2), expected = net.forward(image).logits;
  const Tensor before = nn::named(net, "layer1.0.bn1.running_mean").clone();
  parameter_groups(net, {.heads = {"fc"}});
  start_training(net, /*freeze_batch_norm=*/true);
  EXPECT_TRUE(net.is_training());
  const Tensor logits = net.forward(image).logits;
  EXPECT_TRUE(same(logits.detach(), expected));
  logits.sum().backward();
  EXPECT_TRUE(same(nn::named(net, "layer1.0.bn1.running_mean"), before));
  for (const auto& [name, slot] : net.tensors()) EXPECT_EQ(slot->tensor->grad().defined(), slot->trainable) << name;
}

TEST(ParameterGroups, SayWhatCannotBe) {
  models::Vit vit(tiny_vit());
  nn::randomise(vit, 1);
  EXPECT_THAT([&] { parameter_groups(vit, {.heads = {"hea"}}); },
              testing::ThrowsMessage<Error>(HasSubstr("no head \"hea\"")));
  EXPECT_THAT([&] { parameter_groups(vit, {.freeze_backbone = true}); },
              testing::ThrowsMessage<Error>(HasSubstr("nothing is left to train")));
}

}  // namespace
}  // namespace nunchi::train
