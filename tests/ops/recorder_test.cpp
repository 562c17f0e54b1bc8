#include "ops/recorder.h"

#include <ATen/ops/add.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/randn.h>
#include <ATen/record_function.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <gmock/gmock.h>

#include <thread>

#include "ops/attention.h"
#include "ops/conv.h"
#include "ops/count.h"
#include "ops/linear.h"
#include "ops/norm.h"
#include "ops/policy.h"

namespace nunchi::ops {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::StrEq;

std::vector<Slice> ops_of(const Recording& recording) {
  std::vector<Slice> ops;
  for (const auto& slice : recording.slices)
    if (slice.is_op) ops.push_back(slice);
  return ops;
}

TEST(Recorder, RecordsAnOpWithItsShapesCostAndBytes) {
  const c10::InferenceMode inference;
  const Tensor x = at::randn({2, 5, 8}), weight = at::randn({16, 8}), bias = at::randn({16});
  for (const auto policy : {Policy::reference, Policy::fused}) {
    const PolicyScope scope(policy);
    Recorder recorder;
    const Tensor y = linear(x, {.weight = weight, .bias = bias, .packed = pack_linear(weight, bias)});
    const auto ops = ops_of(recorder.take());
    ASSERT_EQ(ops.size(), 1u);
    EXPECT_EQ(ops[0].name, "linear");
    EXPECT_THAT(ops[0].inputs, ElementsAre(Shape{2, 5, 8}, Shape{16, 8}, Shape{16}));
    EXPECT_EQ(ops[0].macs, 2 * 5 * 8 * 16);
    EXPECT_EQ(ops[0].bytes_read, 4 * (2 * 5 * 8 + 16 * 8 + 16));
    EXPECT_EQ(ops[0].bytes_written, 4 * 2 * 5 * 16);
    EXPECT_GT(ops[0].duration(), 0);
  }
}

TEST(Recorder, SlicesNestAsTheCallsNest) {
  const c10::InferenceMode inference;
  const Tensor image = at::randn({1, 3, 8, 8}), weight = at::randn({4, 3, 4, 4});
  Recorder recorder;
  patch_embed(image, {.weight = weight, .bias = {}, .patch = {4, 4}});
  layer_norm(image, {.weight = {}, .bias = {}});
  const auto recording = recorder.take();
  const auto& slices = recording.slices;
  ASSERT_THAT(slices, Contains(Field(&Slice::name, StrEq("aten::convolution"))));
  for (std::size_t i = 0; i < slices.size(); ++i) {
    EXPECT_LE(slices[i].begin, slices[i].end) << slices[i].name;
    EXPECT_LE(slices[i].end, recording.duration);
    if (i > 0) {
      EXPECT_LE(slices[i - 1].begin, slices[i].begin);
    }
    if (!slices[i].parent) continue;
    ASSERT_LT(*slices[i].parent, i);
    const auto& parent = slices[*slices[i].parent];
    EXPECT_TRUE(parent.begin <= slices[i].begin && slices[i].end <= parent.end) << slices[i].name;
  }
  const auto ops = ops_of(recording);
  ASSERT_EQ(ops.size(), 2u);
  EXPECT_EQ(ops[0].name, "conv2d");
  EXPECT_EQ(ops[0].macs, 4 * 4 * 3 * 4 * 4);
  EXPECT_EQ(ops[1].name, "layer_norm");
  EXPECT_EQ(ops[1].macs, 0);
}

TEST(Recorder, MacsAreThoseOfTheCounter) {
  const c10::InferenceMode inference;
  const Tensor q = at::randn({1, 7, 2, 4});
  Recorder recorder;
  const MacCounter counter;
  attention(q, q, q);
  linear(at::randn({3, 8}), {.weight = at::randn({6, 8}), .bias = {}});
  std::int64_t macs = 0;
  for (const auto& op : ops_of(recorder.take())) macs += op.macs;
  EXPECT_EQ(macs, counter.total());
  EXPECT_EQ(macs, 2 * 7 * 7 * 2 * 4 + 3 * 6 * 8);
}

TEST(Recorder, AViewMovesNoBytes) {
  const Tensor x = at::randn({4, 6});
  Recorder recorder;
  const Tensor turned = x.transpose(0, 1);
  const Tensor copied = turned.contiguous();
  const Tensor sum = at::add(x, 1);
  copied.mutable_data_ptr<float>()[0] = 1;
  Tensor changed = copied;
  changed.mul_(2);
  const auto slices = recorder.take().slices;
  const auto bytes = [&](const char* name) {
    for (const auto& slice : slices)
      if (slice.name == name) return std::pair(slice.bytes_read, slice.bytes_written);
    return std::pair<std::int64_t, std::int64_t>(-1, -1);
  };
  EXPECT_EQ(bytes("aten::transpose"), std::pair(0L, 0L));
  EXPECT_EQ(bytes("aten::contiguous"), std::pair(96L, 96L));
  EXPECT_EQ(bytes("aten::add"), std::pair(96L, 96L));
  EXPECT_EQ(bytes("aten::mul_").second, 96);
}

TEST(Recorder, FollowsTheMemoryOfTensors) {
  constexpr std::int64_t kib = 1024;
  Recorder recorder;
  {
    const Tensor first = at::empty({64 * kib}, at::kFloat);
    { const Tensor second = at::empty({128 * kib}, at::kFloat); }
    const Tensor third = at::empty({32 * kib}, at::kFloat);
  }
  std::vector<std::int64_t> bytes;
  for (const auto& point : recorder.take().memory) bytes.push_back(point.bytes / kib);
  EXPECT_THAT(bytes, ElementsAre(256, 768, 256, 384, 256, 0));
}

TEST(Recorder, MemoryNamesTheSliceThatTookIt) {
  const Tensor x = at::randn({8, 8});
  Recorder recorder;
  const Tensor y = layer_norm(x, {.weight = {}, .bias = {}});
  const auto recording = recorder.take();
  ASSERT_FALSE(recording.memory.empty());
  ASSERT_TRUE(recording.memory.front().slice);
  std::optional<std::size_t> outer = recording.memory.front().slice;
  while (recording.slices[*outer].parent) outer = recording.slices[*outer].parent;
  EXPECT_EQ(recording.slices[*outer].name, "layer_norm");
}

TEST(Recorder, LeavesNothingBehind) {
  const Tensor x = at::randn({8, 8});
  {
    Recorder recorder;
    layer_norm(x, {.weight = {}, .bias = {}});
    EXPECT_FALSE(recorder.take().slices.empty());
    EXPECT_TRUE(recorder.take().slices.empty());
  }
  EXPECT_FALSE(at::hasCallbacks());
  EXPECT_EQ(c10::ThreadLocalDebugInfo::get(c10::DebugInfoKind::PROFILER_STATE), nullptr);
  EXPECT_EQ(detail::recording, nullptr);
  layer_norm(x, {.weight = {}, .bias = {}});
  Recorder second;
  EXPECT_TRUE(second.take().slices.empty());
}

TEST(Recorder, AnOpThatThrowsIsClosed) {
  const Tensor x = at::randn({2, 3});
  Recorder recorder;
  EXPECT_ANY_THROW(attention(x, x, x));
  EXPECT_ANY_THROW(at::add(x, at::randn({2, 4})));
  layer_norm(x, {.weight = {}, .bias = {}});
  const auto ops = ops_of(recorder.take());
  ASSERT_EQ(ops.size(), 1u);
  EXPECT_FALSE(ops[0].parent);
}

TEST(Recorder, RecordsItsOwnThreadAlone) {
  Recorder recorder;
  std::thread([] { layer_norm(at::randn({8, 8}), {.weight = {}, .bias = {}}); }).join();
  EXPECT_TRUE(recorder.take().slices.empty());
  EXPECT_ANY_THROW(Recorder());
}

}  // namespace
}  // namespace nunchi::ops
