#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "core/in_child.h"
#include "core/temporary_folder.h"
#include "formats/golden.h"
#include "formats/safetensors.h"

namespace nunchi::formats {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

void write_shard(const fs::path& path, const std::vector<std::string>& names) {
  std::vector<TensorView> tensors;
  for (const auto& name : names) tensors.push_back({name, Dtype::u8, {4}, std::as_bytes(std::span("abcd", 4))});
  write_safetensors(path, tensors);
}

struct ShardedFolder {
  TemporaryFolder folder;
  fs::path index = folder / "model.safetensors.index.json";

  explicit ShardedFolder(const std::string& weight_map = R"({"a":"1.safetensors","b":"2.safetensors"})") {
    write_shard(folder / "1.safetensors", {"a"});
    write_shard(folder / "2.safetensors", {"b"});
    write_file(index, R"({"metadata":{"total_size":8},"weight_map":)" + weight_map + "}");
  }
  std::string error() const {
    return error_of([&] { open_weights(folder.path()); });
  }
};

TEST(OpenWeights, ReadsShards) {
  const ShardedFolder sharded;
  for (const auto& path : {sharded.folder.path(), sharded.index}) {
    const WeightFiles weights = open_weights(path);
    EXPECT_THAT(weights.names(), ElementsAre("a", "b"));
    ASSERT_NE(weights.find("b"), nullptr);
    EXPECT_EQ(weights.find("b")->bytes.size(), 4u);
    EXPECT_EQ(weights.file_of("b")->path().filename(), "2.safetensors");
    EXPECT_EQ(weights.find("c"), nullptr);
    EXPECT_EQ(weights.file_of("c"), nullptr);
    weights.check();
  }
}

TEST(OpenWeights, CopiesOfTheResultLiveOn) {
  const ShardedFolder sharded;
  auto weights = std::make_unique<WeightFiles>(open_weights(sharded.folder.path()));
  const WeightFiles copy = *weights;
  weights.reset();
  EXPECT_EQ(to_hex(copy.find("a")->bytes), "61626364");
}

TEST(OpenWeights, AllMissingTensorsAreNamed) {
  const ShardedFolder sharded(R"({"a":"2.safetensors","b":"2.safetensors","c":"1.safetensors"})");
  EXPECT_THAT(sharded.error(), HasSubstr("2 of its tensors are missing: a in 2.safetensors, c in 1.safetensors"));
}

TEST(OpenWeights, MissingShardIsNamed) {
  const ShardedFolder sharded(R"({"a":"1.safetensors","b":"3.safetensors"})");
  EXPECT_THAT(sharded.error(), HasSubstr("its shard 3.safetensors is missing"));
}

TEST(OpenWeights, ShardsStayInTheirFolder) {
  for (const auto* shard :
       {"../1.safetensors", "/etc/passwd", "sub/1.safetensors", "", ".", "..", "a\\\\b", "a\\u0000"}) {
    const ShardedFolder sharded(std::string(R"({"a":")") + shard + "\"}");
    EXPECT_THAT(sharded.error(), HasSubstr("expected the name of a file beside it")) << shard;
  }
}

TEST(OpenWeights, BrokenIndexesAreErrors) {
  for (const auto* map : {"{}", "[]", "null", "7"}) {
    EXPECT_THAT(ShardedFolder(map).error(), HasSubstr("expected an object with a \"weight_map\"")) << map;
  }
  EXPECT_THAT(ShardedFolder(R"({"a":1})").error(), HasSubstr("\"a\": expected a file name, found number"));
  EXPECT_THAT(ShardedFolder("{").error(), HasSubstr("expected JSON"));
  EXPECT_THAT(error_of([] { parse_shard_index("[1]", "index"); }), HasSubstr("index: expected an object"));
}

TEST(OpenWeights, OneTensorInTwoShardsIsAnError) {
  const ShardedFolder sharded;
  write_shard(sharded.folder / "2.safetensors", {"a", "b"});
  EXPECT_THAT(sharded.error(), HasSubstr("tensor \"a\": expected it once, found it in"));
}

TEST(OpenWeights, AFolderMayHoldOneFileOfAnyName) {
  const TemporaryFolder folder;
  const auto names = [&] { return open_weights(folder.path()).names(); };
  const auto error = [&] { return error_of([&] { open_weights(folder.path()); }); };
  EXPECT_THAT(error(), HasSubstr("found no file"));
  write_file(folder / "training_args.bin", "x");
  write_file(folder / "optimizer.pt", "x");
  EXPECT_THAT(error(), HasSubstr("found optimizer.pt, training_args.bin"));
  fs::copy_file(golden("pickle/protocol4.pth"), folder / "dino.pth");
  EXPECT_THAT(names(), ElementsAre("a", "b"));
  fs::copy_file(golden("pickle/protocol4.pth"), folder / "more.pt");
  EXPECT_THAT(error(), HasSubstr(".pth, .pt or .bin file, found dino.pth, more.pt, optimizer.pt"));
  write_shard(folder / "weights.safetensors", {"c"});
  EXPECT_THAT(names(), ElementsAre("c"));
  write_shard(folder / "more.safetensors", {"b"});
  EXPECT_THAT(error(), HasSubstr("one single .safetensors"));
}

TEST(OpenWeights, TheUsualNamesComeFirst) {
  const TemporaryFolder folder;
  const auto names = [&] { return open_weights(folder.path()).names(); };
  write_shard(folder / "weights.safetensors", {"lone"});
  fs::copy_file(golden("pickle/protocol4.pth"), folder / "shard.bin");
  write_file(folder / "pytorch_model.bin.index.json", R"({"weight_map":{"a":"b.bin"}})");
  EXPECT_THAT(error_of([&] { names(); }), HasSubstr("its shard b.bin is missing"));
  fs::copy_file(golden("pickle/module.pth"), folder / "pytorch_model.bin");
  EXPECT_THAT(names(), testing::Contains("1.running_mean"));
  write_file(folder / "model.safetensors.index.json", R"({"weight_map":{"lone":"weights.safetensors"}})");
  EXPECT_THAT(names(), ElementsAre("lone"));
  write_shard(folder / "model.safetensors", {"first"});
  EXPECT_THAT(names(), ElementsAre("first"));
}

// The names of shards are those of the index, whatever prefix they share.
TEST(OpenWeights, ShardsMayBePickles) {
  const TemporaryFolder folder;
  fs::copy_file(golden("pickle/dino_student.pth"), folder / "1.bin");
  write_shard(folder / "2.safetensors", {"b"});
  write_file(folder / "pytorch_model.bin.index.json",
             R"({"weight_map":{"module.backbone.cls_token":"1.bin","b":"2.safetensors"}})");
  const WeightFiles weights = open_weights(folder.path());
  EXPECT_EQ(weights.file_of("module.backbone.cls_token")->path().filename(), "1.bin");
  EXPECT_NE(weights.find("module.head.mlp.0.weight"), nullptr);
  EXPECT_EQ(weights.shapes().at("module.backbone.cls_token"), (std::vector<std::int64_t>{1, 1, 4}));
  EXPECT_EQ(weights.shapes().size(), weights.names().size());
}

TEST(OpenWeights, TheContentTellsTheFormat) {
  const TemporaryFolder folder;
  write_shard(folder / "a.pth", {"a"});
  fs::copy_file(golden("pickle/module.pth"), folder / "b.safetensors");
  EXPECT_THAT(open_weights(folder / "a.pth").names(), ElementsAre("a"));
  EXPECT_THAT(open_weights(folder / "b.safetensors").names(), testing::Contains("0.bias"));
  write_file(folder / "c.pth", "no weights at all");
  EXPECT_THAT(error_of([&] { open_weights(folder / "c.pth"); }), HasSubstr("safetensors or torch.save write them"));
}

TEST(OpenWeights, ReadsARealCheckpoint) {
  const char* shared = std::getenv("NUNCHI_SHARED");
  const fs::path folder = fs::path(shared ? shared : NUNCHI_SOURCE_DIR "/../shared") / "data/mobilenet-v2-imagenet/hf";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not here";
  const WeightFiles weights = open_weights(folder);
  const TensorView* bias = weights.find("classifier.bias");
  ASSERT_NE(bias, nullptr);
  EXPECT_EQ(bias->dtype, Dtype::f32);
  EXPECT_TRUE(bias->aligned());
  EXPECT_EQ(weights.metadata().at("format"), "pt");
  const TemporaryFolder copies;
  write_safetensors(copies / "copy.safetensors", weights.files().front().tensors(), weights.metadata());
  const auto copy = SafetensorsFile::open(copies / "copy.safetensors");
  for (const TensorView& tensor : weights.files().front().tensors()) {
    ASSERT_NE(copy.find(tensor.name), nullptr);
    EXPECT_TRUE(std::equal(tensor.bytes.begin(), tensor.bytes.end(), copy.find(tensor.name)->bytes.begin()));
  }
}

TEST(OpenWeights, AFileThatShrinksWhileItIsReadIsAnError) {
  const TemporaryFolder folder;
  const std::string data(1 << 20, '\1');
  write_safetensors(folder / "a", {{"x", Dtype::u8, {1 << 20}, std::as_bytes(std::span(data))}});
  const WeightFiles weights = open_weights(folder / "a");
  fs::resize_file(folder / "a", 4096);
  const auto bytes = weights.find("x")->bytes;
  EXPECT_EQ(bytes.back(), std::byte{0});
  EXPECT_THAT(error_of([&] { weights.check(); }), HasSubstr("shrank"));
}

}  // namespace
}  // namespace nunchi::formats
