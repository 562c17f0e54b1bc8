// Load, freeze, answer, thaw, train and freeze again, in one process, on the files that transformers wrote.
#include <ATen/ops/cosine_similarity.h>
#include <ATen/ops/square.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include "core/in_child.h"
#include "nn/linear.h"
#include "nn/named.h"
#include "ops/compare.h"
#include "ops/policy.h"
#include "weights/cases.h"

namespace nunchi::weights {
namespace {

using models::ModelOutput;
using testing::HasSubstr;

Tensor image_for(const models::Model& model) {
  const auto shape = model.input_shape();
  return random({2, shape[0], shape[1], shape[2]}, 5);
}

std::vector<Tensor> answers(const ModelOutput& output) {
  std::vector<Tensor> all;
  for (const Tensor& t : {output.logits, output.last_hidden_state, output.pooler_output}) {
    if (t.defined()) all.push_back(t);
  }
  return all;
}

std::vector<Tensor> infer(models::Model& model, nn::Precision precision = nn::Precision::fp32) {
  const c10::InferenceMode inference;
  return answers(model.forward(image_for(model).to(nn::activation_dtype(precision))));
}

void expect_same(const std::vector<Tensor>& found, const std::vector<Tensor>& expected, double tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_LE(difference(found[i], expected[i]), tolerance) << "output " << i;
}

void expect_originals(models::Model& model, const Checkpoint& checkpoint) {
  for (const auto& [name, slot] : model.tensors()) {
    ASSERT_TRUE(slot->tensor->defined()) << name;
    EXPECT_TRUE(same(*slot->tensor, checkpoint.read(name))) << name;
    EXPECT_FALSE(slot->in_file || slot->released) << name;
  }
}

void expect_every_gradient(models::Model& model) {
  for (const auto& [name, slot] : model.tensors()) {
    if (slot->trainable) slot->tensor->requires_grad_();
  }
  Tensor loss = at::square(random({1}, 1));
  for (const Tensor& answer : answers(model.forward(image_for(model)))) loss = loss + answer.pow(2).mean();
  loss.sum().backward();
  for (const auto& [name, slot] : model.tensors()) {
    if (!slot->trainable) continue;
    const Tensor gradient = slot->tensor->grad();
    ASSERT_TRUE(gradient.defined()) << name;
    EXPECT_TRUE(all_finite(gradient)) << name;
    EXPECT_GT(gradient.abs().max().item<double>(), 0) << name;
  }
}

class OneProcess : public testing::TestWithParam<const char*> {};

TEST_P(OneProcess, LoadsFreezesAnswersThawsTrainsAndFreezesAgain) {  // rule 4 of the engine
  const auto loaded = load_case(GetParam());
  auto& model = *loaded.model;
  const auto plain = infer(model);

  freeze(model, nn::Precision::fp32, loaded.checkpoint.get());
  const auto frozen = infer(model);
  expect_same(frozen, plain, 1e-4);
  freeze(model, nn::Precision::fp32, loaded.checkpoint.get());
  expect_same(infer(model), frozen, 0);

  thaw(model, loaded.checkpoint.get());
  expect_originals(model, *loaded.checkpoint);
  expect_every_gradient(model);

  freeze(model, nn::Precision::fp32, loaded.checkpoint.get());
  expect_same(infer(model), frozen, 0);
}

TEST_P(OneProcess, ComesBackFromBf16BitForBit) {
  const auto loaded = load_case(GetParam());
  freeze(*loaded.model, nn::Precision::bf16, loaded.checkpoint.get());
  for (const Tensor& answer : infer(*loaded.model, nn::Precision::bf16)) EXPECT_EQ(answer.scalar_type(), at::kBFloat16);
  thaw(*loaded.model, loaded.checkpoint.get());
  expect_originals(*loaded.model, *loaded.checkpoint);
}

TEST_P(OneProcess, StaysInBf16AfterEveryBlock) {  // rule 5 of the engine
  const auto loaded = load_case(GetParam());
  auto& model = *loaded.model;
  freeze(model, nn::Precision::bf16, loaded.checkpoint.get());
  const c10::InferenceMode inference;
  const auto shape = model.input_shape();
  for (const auto height : {shape[1], shape[1] * 2}) {  // interpolated positions too
    const auto output =
        model.forward(random({1, shape[0], height, shape[2]}, 1, at::kBFloat16), {.hidden_states = true});
    ASSERT_FALSE(output.hidden_states.empty());
    for (std::size_t k = 0; k < output.hidden_states.size(); ++k) {
      EXPECT_EQ(output.hidden_states[k].scalar_type(), at::kBFloat16) << "hidden_state_" << k;
    }
  }
  for (const auto& [name, slot] : model.tensors()) {
    const Tensor& tensor = *slot->tensor;
    if (tensor.defined() && tensor.is_floating_point()) {
      EXPECT_EQ(tensor.scalar_type(), at::kBFloat16) << name;
    }
  }
}

// In these small random networks eight bits cost up to 20 % of an output (as much as when the peer's layers are rounded
// so); what they cost a trained one is told by pictures (tasks/bundled_models_test.cpp).
TEST_P(OneProcess, AnswersInInt8AndComesBackBitForBit) {
  const auto loaded = load_case(GetParam());
  freeze(*loaded.model, nn::Precision::fp32, loaded.checkpoint.get());
  const auto exact = infer(*loaded.model);
  freeze(*loaded.model, nn::Precision::int8, loaded.checkpoint.get());
  const auto found = infer(*loaded.model, nn::Precision::int8);
  ASSERT_EQ(found.size(), exact.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].scalar_type(), nn::activation_dtype(nn::Precision::int8));
    EXPECT_GT(at::cosine_similarity(found[i].to(at::kFloat).flatten(), exact[i].flatten(), 0).item<double>(), 0.95);
  }
  thaw(*loaded.model, loaded.checkpoint.get());
  expect_originals(*loaded.model, *loaded.checkpoint);
}

TEST_P(OneProcess, DoesNotHoldTwoCopiesWhenFrozen) {
  for (const auto precision : {nn::Precision::fp32, nn::Precision::bf16, nn::Precision::int8}) {
    const auto loaded = load_case(GetParam());
    freeze(*loaded.model, precision, loaded.checkpoint.get());
    for (const auto& [name, slot] : loaded.model->tensors()) {
      const bool matrix = slot->shape.size() == 2 || slot->shape.size() == 4;
      if (!matrix || !slot->trainable) continue;
      EXPECT_FALSE(slot->tensor->defined()) << name << " is held beside its packed form";
      EXPECT_FALSE(slot->original.defined()) << name;
      EXPECT_TRUE(slot->released) << name;
    }
  }
}

TEST_P(OneProcess, GoesFromOnePrecisionToAnother) {
  const auto loaded = load_case(GetParam());
  freeze(*loaded.model, nn::Precision::fp32, loaded.checkpoint.get());
  const auto expected = infer(*loaded.model);
  freeze(*loaded.model, nn::Precision::bf16, loaded.checkpoint.get());
  for (const Tensor& answer : infer(*loaded.model, nn::Precision::bf16)) EXPECT_EQ(answer.scalar_type(), at::kBFloat16);
  freeze(*loaded.model, nn::Precision::fp32, loaded.checkpoint.get());
  expect_same(infer(*loaded.model), expected, 0);
}

INSTANTIATE_TEST_SUITE_P(Cases, OneProcess,
                         testing::Values("vit_classifier", "vit_pooler", "vit_fp16", "vit_sharded", "deit_distilled",
                                         "dinov2_classifier", "dinov2_registers_swiglu", "mobilenet_v2",
                                         "swin_classifier", "swinv2_classifier", "timm_vit_map", "timm_vit_rms_norm",
                                         "timm_vit_scale_norms"),
                         [](const auto& test) { return std::string(test.param); });

TEST(Freeze, TakesTheFusedPathsOnly) {
  for (const std::string name :
       {"vit_classifier", "deit_distilled", "dinov2_registers_swiglu", "timm_vit_map", "timm_vit_rms_norm"}) {
    for (const auto precision : {nn::Precision::fp32, nn::Precision::bf16}) {
      const auto loaded = load_case(name);
      freeze(*loaded.model, precision, loaded.checkpoint.get());
      ops::reset_path_counts();
      const ops::PolicyScope scope(ops::Policy::fused);  // throws where one cannot run
      EXPECT_EQ(error_of([&] { infer(*loaded.model, precision); }), "") << name;
      EXPECT_GT(ops::path_counts().fused, 15);
      EXPECT_EQ(ops::path_counts().reference, 0);
    }
  }
}

TEST(Freeze, IsTheReferenceWithinRoundingInBf16) {
  const auto plain = load_case("vit_classifier"), half = load_case("vit_classifier");
  freeze(*half.model, nn::Precision::bf16, half.checkpoint.get());
  expect_same(infer(*half.model, nn::Precision::bf16), infer(*plain.model), 0.1);
}

TEST(Freeze, EndsTraining) {
  const auto loaded = load_case("vit_classifier");
  loaded.model->train(true);
  freeze(*loaded.model, nn::Precision::fp32, loaded.checkpoint.get());
  EXPECT_FALSE(loaded.model->is_training());
}

TEST(Freeze, KeepsWhatWasTrained) {
  const auto loaded = load_case("vit_classifier");
  auto& model = *loaded.model;
  const auto before = infer(model);
  thaw(model, loaded.checkpoint.get());
  for (const auto& [name, slot] : model.tensors()) slot->tensor->mul_(1.25);  // owned memory: it may be written
  const auto trained = infer(model);
  EXPECT_GT(difference(trained[0], before[0]), 1e-2);
  for (const auto precision : {nn::Precision::bf16, nn::Precision::fp32}) {
    freeze(model, precision, loaded.checkpoint.get());
    infer(model, precision);
    thaw(model, loaded.checkpoint.get());
    expect_same(infer(model), trained, 0);
  }
}

TEST(Freeze, AnswersTheSameWithAndWithoutGradients) {
  const auto loaded = load_case("vit_classifier");
  const auto expected = infer(*loaded.model);
  freeze(*loaded.model, nn::Precision::fp32, loaded.checkpoint.get());
  Tensor image = image_for(*loaded.model).requires_grad_();
  const auto output =
      loaded.model->forward(image);  // explained, not trained: gradients of the picture of a frozen model
  EXPECT_LT(difference(output.logits, expected[0]), 1e-4);
  output.logits.sum().backward();
  ASSERT_TRUE(image.grad().defined());
  EXPECT_GT(image.grad().abs().max().item<double>(), 0);
}

TEST(Freeze, NeedsTheCheckpointThatHoldsTheWeights) {
  const auto loaded = load_case("vit_classifier");
  EXPECT_THAT(error_of([&] { freeze(*loaded.model, nn::Precision::fp32); }), HasSubstr("frozen and thawed with it"));
  freeze(*loaded.model, nn::Precision::fp32, loaded.checkpoint.get());
  EXPECT_THAT(error_of([&] { thaw(*loaded.model); }), HasSubstr("frozen and thawed with it"));
}

TEST(Freeze, KeepsFp32ValuesWhenAModelOfOurOwnChangesItsPrecision) {
  nn::Linear layer(17, 31);
  nn::randomise(layer, 1);
  const Tensor weight = layer.weights.weight, bias = layer.weights.bias;
  for (const auto precision : {nn::Precision::bf16, nn::Precision::fp32, nn::Precision::bf16}) freeze(layer, precision);
  thaw(layer);
  EXPECT_TRUE(same(layer.weights.weight, weight));
  EXPECT_TRUE(same(layer.weights.bias, bias));
}

}  // namespace
}  // namespace nunchi::weights
