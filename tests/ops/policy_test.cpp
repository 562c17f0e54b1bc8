#include "ops/policy.h"

#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include <thread>

#include "core/in_child.h"
#include "ops/attention.h"
#include "ops/compare.h"
#include "ops/conv.h"
#include "ops/count.h"
#include "ops/linear.h"
#include "ops/norm.h"
#include "ops/swiglu.h"

namespace nunchi::ops {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Policy, TakesTheFusedPathWhereNothingIsInTheWay) {
  EXPECT_TRUE(use_fused("op", ""));
  EXPECT_FALSE(use_fused("op", "reason"));
}

TEST(Policy, HoldsUntilItsScopeEnds) {
  {
    const PolicyScope outer(Policy::reference);
    EXPECT_FALSE(use_fused("op", ""));
    {
      const PolicyScope inner(Policy::fused);
      EXPECT_TRUE(use_fused("op", ""));
    }
    EXPECT_FALSE(use_fused("op", ""));
  }
  EXPECT_TRUE(use_fused("op", ""));
}

TEST(Policy, SaysWhyTheFusedPathCannotRun) {
  const PolicyScope scope(Policy::fused);
  EXPECT_THAT(error_of([] { use_fused("swirl", "the moon is full"); }),
              AllOf(HasSubstr("swirl"), HasSubstr("the moon is full")));
}

TEST(Policy, IsTheCallingThreadsOwn) {
  const PolicyScope scope(Policy::reference);
  bool fused = false;
  std::thread([&] { fused = use_fused("op", ""); }).join();
  EXPECT_TRUE(fused);
}

TEST(Policy, CountsThePathsTaken) {
  reset_path_counts();
  use_fused("op", "");
  use_fused("op", "reason");
  use_fused("op", "reason");
  EXPECT_EQ(path_counts().fused, 1);
  EXPECT_EQ(path_counts().reference, 2);
  reset_path_counts();
  EXPECT_EQ(path_counts().fused + path_counts().reference, 0);
}

TEST(MacCounter, CountsProductsWhileItLives) {
  const Tensor x = random({2, 3, 4, 5}, 1);
  const LinearWeights w{.weight = random({7, 5}, 2)};
  linear(x, w);
  const MacCounter counter;
  EXPECT_EQ(counter.total(), 0);
  linear(x, w);
  EXPECT_EQ(counter.total(), 2 * 3 * 4 * 5 * 7);
  attention(x, x, x);  // [b, n, heads, head_dim]: q k and weights v
  EXPECT_EQ(counter.total(), 2 * 3 * 4 * 5 * 7 + 2 * (2 * 4 * 3 * 3 * 5));
  layer_norm(x, {.weight = random({5}, 3), .bias = random({5}, 4)});
  EXPECT_EQ(counter.total(), 2 * 3 * 4 * 5 * 7 + 2 * (2 * 4 * 3 * 3 * 5));
}

TEST(MetaTensors, GoThroughEveryReferenceWithTheirShape) {  // how a model's cost is counted without its weights
  const c10::InferenceMode inference;
  const PolicyScope scope(Policy::reference);
  const auto meta = [](const Shape& shape) { return random(shape, 1).to(at::kMeta); };
  const Tensor x = meta({2, 3, 4, 6});
  EXPECT_EQ(layer_norm(x, {.weight = meta({6}), .bias = meta({6})}).sizes(), x.sizes());
  EXPECT_EQ(batch_norm(x, {meta({3}), meta({3}), meta({3}), meta({3})}).sizes(), x.sizes());
  EXPECT_EQ(attention(x, x, x).output.sizes(), x.sizes());
  EXPECT_EQ(swiglu(x).sizes(), at::IntArrayRef({2, 3, 4, 3}));
  EXPECT_EQ(patchify(x, {2, 3}).sizes(), at::IntArrayRef({2, 4, 18}));
  EXPECT_EQ(patch_embed(x, {.weight = meta({7, 3, 2, 3}), .patch = {2, 3}}).sizes(), at::IntArrayRef({2, 4, 7}));
  for (int i = 0; i <= static_cast<int>(Activation::mish); ++i) {
    const Epilogue e{.activation = static_cast<Activation>(i), .scale = meta({7}), .residual = meta({2, 3, 4, 7})};
    EXPECT_EQ(linear(x, {.weight = meta({7, 6}), .bias = meta({7})}, e).sizes(), at::IntArrayRef({2, 3, 4, 7})) << i;
  }
}

TEST(MacCounter, StopsAtTheEndOfItsScope) {
  { const MacCounter counter; }
  count_macs(5);
  const MacCounter next;
  EXPECT_EQ(next.total(), 0);
}

}  // namespace
}  // namespace nunchi::ops
