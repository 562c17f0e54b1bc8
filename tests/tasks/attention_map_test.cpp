#include "tasks/attention_map.h"

#include <ATen/ops/rand.h>
#include <gmock/gmock.h>

#include <vector>

#include "core/error.h"
#include "tasks/vision_model.h"

namespace nunchi::tasks {
namespace {

// Weights of so many blocks: positive rows that sum to one.
models::ModelOutput example(std::int64_t prefix, std::int64_t registers) {
  models::ModelOutput output;
  output.prefix_tokens = prefix;
  output.registers = registers;
  output.grid = {2, 3};
  const auto tokens = prefix + 6;
  for (int block = 0; block < 3; ++block) {
    const Tensor positive = at::rand({2, 4, tokens, tokens}) + 0.01;
    output.attentions.push_back(positive / positive.sum(-1, true));
  }
  return output;
}

double weight(const Tensor& weights, std::int64_t b, std::int64_t from, std::int64_t to) {
  double sum = 0;
  for (std::int64_t head = 0; head < weights.size(1); ++head) sum += weights[b][head][from][to].item<double>();
  return sum / static_cast<double>(weights.size(1));
}

// The formula as it stands in the paper, number by number.
std::vector<std::vector<double>> rollout_by_hand(const models::ModelOutput& output, std::int64_t b) {
  const auto tokens = static_cast<std::size_t>(output.attentions.front().size(-1));
  std::vector rollout(tokens, std::vector<double>(tokens));
  for (std::size_t i = 0; i < tokens; ++i) rollout[i][i] = 1;
  for (const Tensor& weights : output.attentions) {
    std::vector next(tokens, std::vector<double>(tokens));
    for (std::size_t i = 0; i < tokens; ++i) {
      for (std::size_t k = 0; k < tokens; ++k) {
        const double mixed =
            0.5 * weight(weights, b, static_cast<std::int64_t>(i), static_cast<std::int64_t>(k)) + (i == k ? 0.5 : 0);
        for (std::size_t j = 0; j < tokens; ++j) next[i][j] += mixed * rollout[k][j];
      }
    }
    rollout = next;
  }
  return rollout;
}

// Swin's windows of the first stage have as many tokens as its last map.
TEST(AttentionMap, WindowsAreNone) {
  models::ModelOutput output;
  output.grid = {7, 7};
  output.attentions = {at::rand({64, 3, 49, 49}), at::rand({1, 24, 49, 49})};
  EXPECT_FALSE(has_attention_map(output));
  output.attentions = {at::rand({1, 3, 49, 49}), at::rand({1, 3, 49, 49})};
  EXPECT_TRUE(has_attention_map(output));
}

TEST(AttentionMap, RolloutIsThatOfThePaper) {
  const auto output = example(/* class and distillation token */ 2, 0);
  const Tensor map = attention_rollout(output);
  ASSERT_EQ(map.sizes(), (Shape{2, 2, 3}));
  for (std::int64_t b = 0; b < 2; ++b) {
    const auto expected = rollout_by_hand(output, b);
    for (std::int64_t i = 0; i < 6; ++i)
      EXPECT_NEAR(map[b][i / 3][i % 3].item<double>(), expected[0][static_cast<std::size_t>(2 + i)], 1e-6);
  }
}

TEST(AttentionMap, LastBlockIsTheMeanOverTheHeads) {
  const auto output = example(1, 0);
  const Tensor map = last_block_attention(output);
  for (std::int64_t i = 0; i < 6; ++i)
    EXPECT_NEAR(map[1][i / 3][i % 3].item<double>(), weight(output.attentions.back(), 1, 0, 1 + i), 1e-6);
}

// Registers before the patches, and nobody to ask but the patches themselves.
TEST(AttentionMap, WithoutClassTokenThePatchesAreAsked) {
  const auto output = example(4, 4);
  const Tensor map = last_block_attention(output);
  double expected = 0;
  for (std::int64_t from = 4; from < 10; ++from) expected += weight(output.attentions.back(), 0, from, 4 + 5) / 6;
  EXPECT_NEAR(map[0][1][2].item<double>(), expected, 1e-6);
  const auto rollout = rollout_by_hand(output, 0);
  expected = 0;
  for (std::size_t from = 4; from < 10; ++from) expected += rollout[from][4] / 6;
  EXPECT_NEAR(attention_rollout(output)[0][0][0].item<double>(), expected, 1e-6);
}

TEST(AttentionMap, OfARealForwardSumsToWhatTheClassTokenLeaves) {
  const std::string folder = NUNCHI_SOURCE_DIR "/tests/golden/cases/vit_classifier/model";
  const VisionModel model({.path = folder});
  const auto shape = model.network().input_shape();
  const auto output = model.forward(at::rand({1, shape[0], shape[1], shape[2]}), {.attentions = true});
  ASSERT_TRUE(has_attention_map(output));
  const double itself = weight(output.attentions.back(), 0, 0, 0);
  EXPECT_NEAR(last_block_attention(output).sum().item<double>(), 1 - itself, 1e-5);
  EXPECT_LT(attention_rollout(output).sum().item<double>(), 1);
  EXPECT_GT(attention_rollout(output).min().item<double>(), 0);
}

TEST(AttentionMap, WindowsAndConvolutionsHaveNone) {
  auto output = example(1, 0);
  output.attentions[1] = at::rand({8, 4, 3, 3});
  EXPECT_FALSE(has_attention_map(output));
  EXPECT_THROW(last_block_attention(output), Error);
  EXPECT_THROW(attention_rollout({}), Error);
}

}  // namespace
}  // namespace nunchi::tasks
