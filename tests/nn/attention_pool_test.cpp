#include "nn/attention_pool.h"

#include <ATen/ops/softmax.h>

#include "nn/named.h"
#include "ops/compare.h"

namespace nunchi::nn {
namespace {

TEST(AttentionPool, SumsTheTokensThatItsQueryLooksAt) {
  AttentionPool pool({.dim = 8, .heads = 2, .mlp_dim = 16});
  randomise(pool, 1);
  const Tensor tokens = random({3, 5, 8}, 2);
  const auto linear = [&](const Tensor& x, const std::string& name) {
    return x.matmul(named(pool, name + ".weight").t()) + named(pool, name + ".bias");
  };
  const Tensor query = linear(named(pool, "latent"), "q").view({1, 2, 4});
  const Tensor keys = linear(tokens, "kv").slice(2, 0, 8).view({3, 5, 2, 4});
  const Tensor values = linear(tokens, "kv").slice(2, 8).view({3, 5, 2, 4});
  const Tensor weights = at::softmax((keys * query).sum(-1) / 2, 1);  // [b, n, heads], over the tokens
  const Tensor x = linear((values * weights.unsqueeze(-1)).sum(1).flatten(1), "proj");
  EXPECT_LT(difference(pool.forward(tokens), x + pool.mlp.forward(pool.norm.forward(x))), 1e-5);
}

TEST(AttentionPool, HasTheKeysOfTimm) {
  AttentionPool pool({.dim = 8, .heads = 2, .mlp_dim = 16});
  EXPECT_EQ(named(pool, "latent").sizes(), at::IntArrayRef({1, 1, 8}));
  EXPECT_EQ(named(pool, "kv.weight").sizes(), at::IntArrayRef({16, 8}));
  EXPECT_EQ(named(pool, "mlp.fc1.weight").sizes(), at::IntArrayRef({16, 8}));
}

}  // namespace
}  // namespace nunchi::nn
