#include "ops/pool.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/reflection_pad2d.h>
#include <ATen/ops/tensor.h>

#include "core/error.h"
#include "ops/compare.h"
#include "ops/conv.h"

namespace nunchi::ops {
namespace {

Tensor counted(std::int64_t h, std::int64_t w) { return at::arange(h * w, at::kFloat).view({1, 1, h, w}); }

TEST(MaxPool, TakesTheLargestOfEachWindow) {
  const Tensor y = max_pool2d(counted(4, 5), {.kernel = 3, .stride = 2, .padding = 1});
  EXPECT_TRUE(same(y, at::tensor({6.0F, 8.0F, 9.0F, 16.0F, 18.0F, 19.0F}).view({1, 1, 2, 3})));
}

TEST(AveragePool, CountsOnlyWhatLiesOnTheMap) {
  const Tensor y = average_pool2d(counted(3, 3), {.kernel = 2, .stride = 2, .partial_windows = true});
  EXPECT_TRUE(same(y, at::tensor({2.0F, 3.5F, 6.5F, 8.0F}).view({1, 1, 2, 2})));
  EXPECT_EQ(average_pool2d(counted(3, 3), {.kernel = 2, .stride = 2}).sizes(), at::IntArrayRef({1, 1, 1, 1}));
}

TEST(BlurPool, IsABinomialFilterOnMirroredEdges) {
  const Tensor weights = at::tensor({1.0F, 2.0F, 1.0F}) / 4;
  const Tensor filter = (weights.view({3, 1}) * weights.view({1, 3})).expand({3, 1, 3, 3});
  for (const auto& [h, w] : {std::pair{2, 2}, {7, 6}, {5, 12}}) {
    const Tensor x = random({2, 3, h, w}, 1);
    const Tensor expected =
        conv2d(at::reflection_pad2d(x, {1, 1, 1, 1}), {.weight = filter, .bias = {}}, {.stride = {2, 2}, .groups = 3});
    EXPECT_LT(difference(blur_pool2d(x), expected), 1e-6);
  }
  EXPECT_THROW(blur_pool2d(random({1, 3, 1, 5}, 1)), Error);
}

TEST(GlobalPool, HasFourKinds) {
  const Tensor map = random({2, 3, 4, 5}, 1), mean = map.mean({2, 3}), largest = map.amax({2, 3});
  EXPECT_TRUE(same(global_pool(map, GlobalPool::average), mean));
  EXPECT_TRUE(same(global_pool(map, GlobalPool::max), largest));
  EXPECT_LT(difference(global_pool(map, GlobalPool::average_and_max), (mean + largest) / 2), 1e-6);
  const Tensor both = global_pool(map, GlobalPool::both);
  EXPECT_TRUE(same(both.slice(1, 0, 3), mean));
  EXPECT_TRUE(same(both.slice(1, 3), largest));
}

TEST(Pools, WorkOnShapesAlone) {
  const Tensor x = at::empty({2, 4, 9, 8}, at::TensorOptions().device(at::kMeta));
  EXPECT_EQ(max_pool2d(x, {.kernel = 3, .stride = 2, .padding = 1}).sizes(), at::IntArrayRef({2, 4, 5, 4}));
  EXPECT_EQ(average_pool2d(x, {.partial_windows = true}).sizes(), at::IntArrayRef({2, 4, 5, 4}));
  EXPECT_EQ(blur_pool2d(x).sizes(), at::IntArrayRef({2, 4, 5, 4}));
  EXPECT_EQ(global_pool(x, GlobalPool::both).sizes(), at::IntArrayRef({2, 8}));
}

}  // namespace
}  // namespace nunchi::ops
