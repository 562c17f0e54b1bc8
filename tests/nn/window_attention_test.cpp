#include "nn/window_attention.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include "core/in_child.h"
#include "nn/attention.h"
#include "nn/named.h"
#include "nn/relative_position.h"
#include "ops/compare.h"

namespace nunchi::nn {
namespace {

using testing::HasSubstr;

WindowAttentionConfig small(bool cosine = false) { return {.dim = 12, .heads = 3, .window = {4, 3}, .cosine = cosine}; }

WindowCut cut_of(Grid map, Grid window, Grid shift = {0, 0}, bool shift_then_pad = false) {
  return {.map = map, .window = window, .shift = shift, .shift_then_pad = shift_then_pad};
}

TEST(Windows, ArePartitioned) {  // R022
  const Tensor map = random({2, 14, 14, 5}, 1);
  const Tensor windows = partition_windows(map, {7, 7});
  EXPECT_EQ(windows.sizes(), at::IntArrayRef({8, 7, 7, 5}));
  EXPECT_TRUE(same(windows[1], map[0].slice(0, 0, 7).slice(1, 7, 14)));
  EXPECT_TRUE(same(windows[6], map[1].slice(0, 7, 14).slice(1, 0, 7)));
}

TEST(Windows, ArePaddedBelowAndToTheRight) {  // R022: 16 x 16 in windows of 7
  const Tensor map = random({2, 16, 16, 5}, 1);
  const Tensor windows = partition_windows(map, {7, 7});
  EXPECT_EQ(windows.sizes(), at::IntArrayRef({18, 7, 7, 5}));
  EXPECT_EQ(windows[8].slice(0, 2).abs().max().item<double>(), 0);
  EXPECT_EQ(windows[8].slice(1, 2).abs().max().item<double>(), 0);
}

// The tokens of each window, side by side.
Tensor split(const Windows& windows, const Tensor& x) {
  const auto& rows = windows.rows()->rows;
  return windows.with_padding(x).index_select(1, rows.flatten()).view({-1, rows.size(1), x.size(2)});
}

TEST(Windows, NumberTheirTokensAsTheyArePartitioned) {
  const Tensor map = random({2, 9, 13, 5}, 1), x = map.flatten(1, 2);
  const Windows still(cut_of({9, 13}, {4, 3}), at::kCPU);
  EXPECT_TRUE(same(split(still, x), partition_windows(map, {4, 3}).flatten(1, 2)));
  EXPECT_FALSE(still.parted().defined());
  for (const bool shift_then_pad : {false, true}) {
    const Windows shifted(cut_of({9, 13}, {4, 3}, {2, 1}, shift_then_pad), at::kCPU);
    const Tensor padded = at::zeros({2, 12, 15, 5});
    padded.slice(1, 0, 9).slice(2, 0, 13).copy_(shift_then_pad ? map.roll({-2, -1}, {1, 2}) : map);
    const Tensor moved = shift_then_pad ? padded : padded.roll({-2, -1}, {1, 2});
    EXPECT_TRUE(same(split(shifted, x), partition_windows(moved, {4, 3}).flatten(1, 2)));
  }
}

TEST(Windows, HoldEveryTokenOnce) {  // R022
  for (const Grid map : {Grid{14, 14}, {7, 7}, {1, 1}, {3, 20}, {16, 15}, {8, 7}}) {
    for (const Grid shift : {Grid{0, 0}, {3, 3}, {0, 3}, {2, 0}}) {
      for (const bool shift_then_pad : {false, true}) {
        const Windows windows(cut_of(map, {7, 7}, shift, shift_then_pad), at::kCPU);
        const Tensor x = random({3, map[0] * map[1], 4}, 1);
        SCOPED_TRACE(testing::Message() << map[0] << " x " << map[1]);
        EXPECT_TRUE(same(windows.without_padding(windows.with_padding(x)), x));
        if (!windows.rows()) continue;  // one window
        const Tensor all = at::arange(windows.cut().padded()[0] * windows.cut().padded()[1]);
        EXPECT_TRUE(same(windows.rows()->rows.flatten().index_select(0, windows.rows()->places), all));
      }
    }
  }
}

TEST(Windows, PartWhatCameAroundTheEdge) {  // R025
  const Windows windows(cut_of({6, 6}, {3, 3}, {1, 1}), at::kCPU);
  const Tensor parted = windows.parted();
  ASSERT_EQ(parted.sizes(), at::IntArrayRef({4, 9, 9}));
  EXPECT_FALSE(parted[0].any().item<bool>());
  for (std::int64_t i = 0; i < 9; ++i) {
    for (std::int64_t j = 0; j < 9; ++j) {
      const bool below = (i / 3 == 2) != (j / 3 == 2), right = (i % 3 == 2) != (j % 3 == 2);
      EXPECT_EQ(parted[1][i][j].item<bool>(), right);
      EXPECT_EQ(parted[2][i][j].item<bool>(), below);
      EXPECT_EQ(parted[3][i][j].item<bool>(), below || right);
    }
  }
}

TEST(WindowAttention, SharesABiasBetweenPairsOfTheSameWay) {  // R023
  const Tensor index = relative_position_index({7, 7});
  EXPECT_EQ(index[0][0].item<int>(), 84);
  EXPECT_EQ(index[0][48].item<int>(), 0);
  EXPECT_EQ(index[48][0].item<int>(), 168);
  WindowAttention attention({.dim = 6, .heads = 2});
  EXPECT_EQ(named(attention, "relative_position_bias_table").sizes(), at::IntArrayRef({169, 2}));
  randomise(attention, 1);
  const Tensor bias = attention.bias(Windows(cut_of({7, 7}, {7, 7}), at::kCPU));
  ASSERT_EQ(bias.sizes(), at::IntArrayRef({1, 2, 49, 49}));
  const auto between = [&](std::int64_t to, std::int64_t from) { return bias.select(2, to).select(2, from); };
  EXPECT_TRUE(same(between(0, 8), between(40, 48)));    // one up, one left
  EXPECT_TRUE(same(between(15, 10), between(25, 20)));  // one down, two left
  EXPECT_FALSE(same(between(0, 8), between(8, 0)));
  attention.initialise(seeded(1));
  EXPECT_EQ(named(attention, "relative_position_bias_table").abs().max().item<double>(), 0);
}

TEST(WindowAttention, EqualsPlainAttentionWithTheBias) {  // R024
  WindowAttention windowed(small());
  randomise(windowed, 1);
  Attention plain({.dim = 12, .heads = 3});
  for (const auto& [name, slot] : plain.tensors()) *slot->tensor = named(windowed, name);
  const Windows windows(cut_of({4, 3}, {4, 3}), at::kCPU);
  const Tensor x = random({2, 12, 12}, 2);
  const Tensor expected = plain.forward(x, {}, {.bias = windowed.bias(windows)});
  EXPECT_LT(difference(windowed.forward(x, windows), expected), 1e-6);
  EXPECT_GT(difference(expected, plain.forward(x)), 1e-2);
}

TEST(WindowAttention, GivesPartedPairsNoWeight) {  // R024
  for (const bool cosine : {false, true}) {
    WindowAttention attention(small(cosine));
    randomise(attention, 1);
    const Windows windows(cut_of({8, 9}, {4, 3}, {2, 1}), at::kCPU);
    Tensor weights;
    attention.forward(random({2, 72, 12}, 2), windows, {}, &weights);
    ASSERT_EQ(weights.sizes(), at::IntArrayRef({12, 3, 12, 12}));
    const Tensor parted = windows.parted().unsqueeze(1).repeat({2, 3, 1, 1});
    EXPECT_LT(weights.masked_select(parted).max().item<double>(), 1e-30);
    EXPECT_GT(weights.masked_select(parted.logical_not()).min().item<double>(), 1e-12);
  }
}

TEST(WindowAttention, MasksWindowsAndNotHeads) {  // R024: as many heads as windows, where the wrong one would go unseen
  WindowAttention attention({.dim = 8, .heads = 4, .window = {3, 3}});
  randomise(attention, 1);
  const Windows windows(cut_of({6, 6}, {3, 3}, {1, 1}), at::kCPU);
  Tensor weights;
  attention.forward(random({1, 36, 8}, 2), windows, {}, &weights);
  EXPECT_GT(weights[0].min().item<double>(), 1e-12);  // nothing came around in the first window
  EXPECT_LT(weights[3].amin(at::IntArrayRef{1, 2}).max().item<double>(), 1e-30);  // every head is masked in the last
}

TEST(WindowAttention, TakesAPartOfItsWindow) {
  WindowAttention attention(small());
  randomise(attention, 1);
  const Tensor whole = attention.bias(Windows(cut_of({4, 3}, {4, 3}), at::kCPU));
  const Tensor part = attention.bias(Windows(cut_of({2, 2}, {2, 2}), at::kCPU));
  const Tensor tokens = at::arange(12).view({4, 3}).slice(0, 0, 2).slice(1, 0, 2).flatten();
  EXPECT_TRUE(same(part, whole.index_select(2, tokens).index_select(3, tokens)));
}

Tensor cosine(const Tensor& q, const Tensor& k) {
  return q.matmul(k.transpose(-1, -2)) / (q.norm(2, {-1}, true) * k.norm(2, {-1}, true).transpose(-1, -2));
}

TEST(WindowAttention, ComparesByTheCosineInTheSecondVersion) {
  WindowAttention attention(small(true));
  randomise(attention, 1);
  named(attention, "logit_scale").copy_(at::arange(3).view({3, 1, 1}) * 3);  // 1, e^3, and e^6, which is held at 100
  const Windows windows(cut_of({4, 3}, {4, 3}), at::kCPU);
  const Tensor x = random({2, 12, 12}, 2);
  const Tensor bias = at::cat({named(attention, "q_bias"), at::zeros(12), named(attention, "v_bias")}, 0);
  const auto qkv =
      (x.matmul(named(attention, "qkv.weight").t()) + bias).view({2, 12, 3, 3, 4}).permute({2, 0, 3, 1, 4});
  const Tensor scale = at::cat({at::zeros(1) + 1, at::zeros(1) + std::exp(3.0), at::zeros(1) + 100}, 0).view({3, 1, 1});
  Tensor weights;
  attention.forward(x, windows, {}, &weights);
  const Tensor expected = at::softmax(cosine(qkv[0], qkv[1]) * scale + attention.bias(windows), -1);
  EXPECT_LT(difference(weights, expected), 1e-4);
}

// Of one head, by the paper's formula, way by way.
double position_bias(Module& attention, double down, double right, const std::array<double, 2>& extent) {
  const auto log_spaced = [](double d, double e) {
    return (d < 0 ? -1 : 1) * std::log2(1 + std::abs(8 * d / e)) / std::log2(8.0);
  };
  const Tensor way = at::zeros({2});
  way[0] = log_spaced(down, extent[0]);
  way[1] = log_spaced(right, extent[1]);
  const Tensor hidden = named(attention, "cpb_mlp.0.weight").matmul(way) + named(attention, "cpb_mlp.0.bias");
  const double score = named(attention, "cpb_mlp.2.weight").matmul(hidden.relu())[0].item<double>();
  return 16 / (1 + std::exp(-score));
}

TEST(WindowAttention, KnowsPositionsByTheirLogSpacedCoordinates) {
  for (const Grid pretrained : {Grid{0, 0}, {8, 8}}) {
    auto config = small(true);
    config.pretrained_window = pretrained;
    WindowAttention attention(config);
    randomise(attention, 1);
    const Tensor bias = attention.bias(Windows(cut_of({4, 3}, {4, 3}), at::kCPU));
    const std::array<double, 2> extent = {pretrained[0] > 0 ? 7. : 3., pretrained[0] > 0 ? 7. : 2.};
    for (const auto& [to, from] : {std::pair{0, 11}, {11, 0}, {4, 4}, {9, 2}, {1, 5}}) {
      const double down = to / 3 - from / 3, right = to % 3 - from % 3;
      EXPECT_NEAR(bias[0][0][to][from].item<double>(), position_bias(attention, down, right, extent), 1e-4);
    }
  }
}

TEST(WindowAttention, RefusesHeadsThatDoNotDivide) {
  EXPECT_THAT(error_of([] { WindowAttention attention({.dim = 96, .heads = 5}); }),
              HasSubstr("5 heads do not divide a width of 96"));
}

TEST(WindowAttention, KeepsItsBiasWhileFrozenOnly) {
  for (const bool cosine : {false, true}) {
    WindowAttention attention(small(cosine));
    randomise(attention, 1);
    const Windows windows(cut_of({8, 9}, {4, 3}, {2, 1}), at::kCPU);
    const Tensor x = random({2, 72, 12}, 2), plain = attention.forward(x, windows);
    attention.freeze({});
    {
      const c10::InferenceMode inference;
      EXPECT_TRUE(attention.bias(windows).is_same(attention.bias(windows)));
      EXPECT_LT(difference(attention.forward(x, windows), plain), 1e-5);
      const Windows other(cut_of({4, 3}, {4, 3}), at::kCPU);
      EXPECT_EQ(attention.bias(other).size(0), 1);
      EXPECT_LT(difference(attention.forward(x, windows), plain), 1e-5);
    }
    attention.thaw();
    EXPECT_FALSE(attention.bias(windows).is_same(attention.bias(windows)));
    named(attention, cosine ? "cpb_mlp.2.weight" : "relative_position_bias_table").mul_(2);
    EXPECT_GT(difference(attention.forward(x, windows), plain), 1e-4);
  }
}

TEST(WindowAttention, HasTheRightGradients) {
  for (const bool cosine : {false, true}) {
    auto config = small(cosine);
    config.dim = 6;
    config.window = {2, 2};
    WindowAttention attention(config);
    randomise(attention, 1);
    std::vector<Tensor*> parameters;
    std::vector<Tensor> inputs = {random({1, 9, 6}, 2, at::kDouble)};
    for (const auto& [name, slot] : attention.tensors()) {
      if (name.starts_with("cpb_mlp")) {
        *slot->tensor = slot->tensor->to(at::kDouble);  // 512 hidden units: fixed here
        continue;
      }
      parameters.push_back(slot->tensor);
      inputs.push_back(slot->tensor->to(at::kDouble));
    }
    const Windows windows(cut_of({3, 3}, {2, 2}, {1, 1}), at::kCPU);
    expect_right_gradients(
        [&](const std::vector<Tensor>& values) {
          for (std::size_t i = 0; i < parameters.size(); ++i) *parameters[i] = values[i + 1];
          return windows.without_padding(attention.forward(windows.with_padding(values[0]), windows));
        },
        inputs);
  }
}

}  // namespace
}  // namespace nunchi::nn
