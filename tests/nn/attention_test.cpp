#include "nn/attention.h"

#include <ATen/ops/_native_multi_head_attention.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include "core/in_child.h"
#include "nn/named.h"
#include "ops/compare.h"

namespace nunchi::nn {
namespace {

using testing::HasSubstr;

TEST(Attention, RefusesHeadsThatDoNotDivide) {  // R002
  EXPECT_THAT(error_of([] { Attention attention({.dim = 768, .heads = 7}); }),
              HasSubstr("7 heads do not divide a width of 768"));
  EXPECT_THAT(error_of([] { MultiHeadAttention attention({.dim = 10, .heads = 4}); }), HasSubstr("4 heads"));
  EXPECT_THAT(error_of([] { Attention attention({.dim = 10, .heads = 0}); }), HasSubstr("0 heads"));
}

TEST(Attention, HasTheThreeVariantsOfTheSeeds) {  // R003
  Attention inner({.dim = 48, .heads = 2, .head_dim = 64, .qkv_bias = false, .projection_dropout = 0.1});
  EXPECT_EQ(named(inner, "qkv.weight").sizes(), at::IntArrayRef({3 * 128, 48}));
  EXPECT_EQ(named(inner, "proj.weight").sizes(), at::IntArrayRef({48, 128}));
  EXPECT_EQ(inner.tensors().size(), 3u);  // no qkv.bias
  Attention with_bias({.dim = 48, .heads = 4});
  EXPECT_EQ(named(with_bias, "qkv.bias").sizes(), at::IntArrayRef({3 * 48}));
  randomise(inner, 1);
  EXPECT_EQ(inner.forward(random({2, 5, 48}, 1)).sizes(), at::IntArrayRef({2, 5, 48}));
}

TEST(Attention, DropsOutWeightsAndProjectionInTrainingOnly) {  // R003
  Attention attention({.dim = 16, .heads = 4, .attention_dropout = 0.5, .projection_dropout = 0.5});
  randomise(attention, 1);
  const Tensor x = random({2, 30, 16}, 2);
  EXPECT_TRUE(same(attention.forward(x), attention.forward(x)));
  attention.train(true);
  EXPECT_NEAR((attention.forward(x) == 0).to(at::kFloat).mean().item<double>(), 0.5, 0.1);
  Tensor weights;
  attention.forward(x, {}, &weights);
  EXPECT_NEAR((weights == 0).to(at::kFloat).mean().item<double>(), 0.5, 0.1);
}

TEST(Attention, ReturnsTheSameAnswerWithItsWeights) {
  Attention attention({.dim = 16, .heads = 4});
  randomise(attention, 1);
  const Tensor x = random({2, 5, 16}, 2);
  Tensor weights;
  const Tensor y = attention.forward(x, {.residual = x}, &weights);
  EXPECT_LT(difference(y, attention.forward(x, {.residual = x})), 1e-5);
  EXPECT_EQ(weights.sizes(), at::IntArrayRef({2, 4, 5, 5}));
  EXPECT_LT(difference(weights.sum(-1), at::ones({2, 4, 5})), 1e-6);
}

TEST(Attention, MayLeaveOutTheBiasOfTheKeys) {  // BEiT
  Attention attention({.dim = 16, .heads = 4, .key_bias = false}), usual({.dim = 16, .heads = 4});
  randomise(attention, 1);
  randomise(usual, 2);
  EXPECT_THROW(named(attention, "qkv.bias"), std::out_of_range);
  for (const std::string name : {"qkv.weight", "proj.weight", "proj.bias"}) named(usual, name) = named(attention, name);
  named(usual, "qkv.bias") = at::cat({named(attention, "q_bias"), at::zeros({16}), named(attention, "v_bias")});
  const Tensor x = random({2, 5, 16}, 3), expected = usual.forward(x);
  EXPECT_LT(difference(attention.forward(x), expected), 1e-5);
  attention.freeze({});
  EXPECT_LT(difference(attention.forward(x), expected), 1e-5);
  attention.thaw();
  named(attention, "v_bias").add_(1);
  EXPECT_GT(difference(attention.forward(x), expected), 0.1);
}

// LibTorch's own multi-head attention, the inference path of torch::nn::MultiheadAttention.
std::tuple<Tensor, Tensor> of_libtorch(MultiHeadAttention& m, std::int64_t dim, std::int64_t heads, const Tensor& x) {
  const auto joined = [&](const std::string& what) {
    return at::cat({named(m, "q." + what), named(m, "k." + what), named(m, "v." + what)}, 0);
  };
  return at::_native_multi_head_attention(x, x, x, dim, heads, joined("weight"), joined("bias"),
                                          named(m, "proj.weight"), named(m, "proj.bias"), {}, /*need_weights=*/true,
                                          /*average_attn_weights=*/false);
}

TEST(MultiHeadAttention, EqualsLibtorchWithCopiedWeights) {  // R002
  MultiHeadAttention ours({.dim = 32, .heads = 4});
  randomise(ours, 1);
  const Tensor x = random({2, 7, 32}, 2);
  const auto found = ours.forward(x, x, x);
  const auto [output, weights] = of_libtorch(ours, 32, 4, x);
  EXPECT_LT(difference(found.output, output), 1e-5);
  EXPECT_LT(difference(found.weights, weights), 1e-5);
}

TEST(MultiHeadAttention, EqualsTheFusedFormWithJoinedWeights) {
  MultiHeadAttention separate({.dim = 32, .heads = 4});
  Attention fused({.dim = 32, .heads = 4});
  randomise(separate, 1);
  for (const std::string what : {"weight", "bias"}) {
    named(fused, "qkv." + what) =
        at::cat({named(separate, "q." + what), named(separate, "k." + what), named(separate, "v." + what)}, 0);
    named(fused, "proj." + what) = named(separate, "proj." + what);
  }
  const Tensor x = random({2, 7, 32}, 2);
  EXPECT_LT(difference(fused.forward(x), separate.forward(x, x, x).output), 1e-5);
}

TEST(MultiHeadAttention, LooksFromOneSequenceAtAnother) {  // R002
  MultiHeadAttention attention({.dim = 32, .heads = 4});
  randomise(attention, 1);
  const Tensor query = random({2, 3, 32}, 2), memory = random({2, 9, 32}, 3);
  const auto result = attention.forward(query, memory, memory);
  EXPECT_EQ(result.output.sizes(), at::IntArrayRef({2, 3, 32}));
  EXPECT_EQ(result.weights.sizes(), at::IntArrayRef({2, 4, 3, 9}));
}

TEST(MultiHeadAttention, TakesTheDocumentedMaskForSamplesWhenThereAreAsManyHeads) {  // R002
  MultiHeadAttention attention({.dim = 8, .heads = 2});
  randomise(attention, 1);
  const Tensor x = random({2, 4, 8}, 2);
  Tensor mask = at::ones({2, 4, 4});
  mask[1].select(1, 0).fill_(0);  // only the second sample has a blocked key
  const auto masked = attention.forward(x, x, x, mask), free = attention.forward(x, x, x);
  EXPECT_TRUE(same(masked.output[0], free.output[0]));
  EXPECT_EQ(masked.weights[1].select(-1, 0).abs().max().item<double>(), 0);
  const Tensor without = x[1].slice(0, 1).unsqueeze(0);  // the same as a sequence without that key
  EXPECT_LT(difference(masked.output[1], attention.forward(x.slice(0, 1), without, without).output[0]), 1e-5);
  EXPECT_TRUE(same(attention.forward(x, x, x, mask[1]).output[1], masked.output[1]));
  EXPECT_TRUE(same(attention.forward(x, x, x, mask.unsqueeze(1)).output, masked.output));
}

}  // namespace
}  // namespace nunchi::nn
