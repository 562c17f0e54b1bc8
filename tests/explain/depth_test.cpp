#include "explain/depth.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/cosine_similarity.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/rand.h>
#include <gmock/gmock.h>

#include "tasks/cases.h"

namespace nunchi::explain {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

Tensor pixels_for(const tasks::VisionModel& model) {
  const auto shape = model.network().input_shape();
  return at::rand({1, shape[0], shape[1], shape[2]});
}

TEST(LogitLens, EndsWithTheAnswerItself) {
  for (const auto* name : {"vit_classifier", "deit_distilled", "beit_classifier", "timm_vit_avg", "timm_eva02"}) {
    const tasks::VisionModel model({.path = case_model(name)});
    const Tensor pixels = pixels_for(model);
    const auto output = model.forward(pixels, {.hidden_states = true});
    const Tensor lens = logit_lens(model, pixels);
    ASSERT_EQ(lens.size(0), std::ssize(output.hidden_states)) << name;
    EXPECT_TRUE(at::allclose(lens[-1], output.logits[0], 1e-4, 1e-5)) << name;
    EXPECT_FALSE(at::allclose(lens[0], lens[-1], 1e-4, 1e-5)) << name;
  }
}

// The norm and the head, applied by hand to what the first block gave.
TEST(LogitLens, IsNormAndHeadOfEveryBlock) {
  const tasks::VisionModel model({.path = case_model("vit_classifier")});
  const Tensor pixels = pixels_for(model);
  const Tensor state = model.forward(pixels, {.hidden_states = true}).hidden_states[1][0][0];
  const auto& checkpoint = model.checkpoint();
  const Tensor centred = state - state.mean();
  const Tensor normed = centred / (centred.square().mean() + 1e-12).sqrt() * checkpoint.read("norm.weight") +
                        checkpoint.read("norm.bias");
  const Tensor logits = at::matmul(checkpoint.read("head.weight"), normed) + checkpoint.read("head.bias");
  EXPECT_TRUE(at::allclose(logit_lens(model, pixels)[1], logits, 1e-3, 1e-4));
}

TEST(Drift, IsTheCosineOfTheClassToken) {
  const tasks::VisionModel model({.path = case_model("dinov2_registers")});
  const auto output = model.forward(pixels_for(model), {.hidden_states = true});
  const auto drift = class_token_drift(output);
  ASSERT_EQ(drift.step.size(), output.hidden_states.size());
  EXPECT_TRUE(drift.of_class_token);
  EXPECT_NEAR(drift.step[0], 1, 1e-6);
  EXPECT_NEAR(drift.to_last.back(), 1, 1e-6);
  const auto token = [&](std::size_t i) { return output.hidden_states[i][0][0]; };
  EXPECT_NEAR(drift.step[2], at::cosine_similarity(token(2), token(1), 0).item<double>(), 1e-6);
  EXPECT_NEAR(drift.to_last[0], at::cosine_similarity(token(0), token(drift.step.size() - 1), 0).item<double>(), 1e-6);
}

TEST(Depth, StagesAndMissingHeadsAreRefused) {
  const tasks::VisionModel swin({.path = case_model("swin_classifier")});
  EXPECT_THAT([&] { logit_lens(swin, pixels_for(swin)); }, ThrowsMessage<Error>(HasSubstr("--show cka")));
  const tasks::VisionModel bare({.path = case_model("dinov2")});
  EXPECT_THAT([&] { logit_lens(bare, pixels_for(bare)); }, ThrowsMessage<Error>(HasSubstr("--show drift")));
}

}  // namespace
}  // namespace nunchi::explain
