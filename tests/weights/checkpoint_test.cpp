#include "weights/checkpoint.h"

#include <ATen/ops/cat.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include <cstring>
#include <filesystem>

#include "core/in_child.h"
#include "core/temporary_folder.h"
#include "formats/safetensors.h"
#include "nn/linear.h"
#include "nn/named.h"
#include "nn/norm.h"
#include "ops/compare.h"

namespace nunchi::weights {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Toy : nn::Module {
  explicit Toy(std::int64_t dim = 4) : qkv(dim, 3 * dim), norm(dim, 1e-6) {
    child("qkv", qkv);
    child("norm", norm);
  }
  nn::Linear qkv;
  nn::LayerNorm norm;
};

const KeyTable table{.publisher = "somebody",
                     .rules = {{"qkv.*", {"query.*", "key.*", "value.*"}}, {"norm.*", {"layernorm.*"}}},
                     .dropped = {"mask"}};

using Tensors = std::vector<std::pair<std::string, Tensor>>;

Tensors toy_tensors(std::int64_t dim = 4) {
  Tensors all;
  for (const std::string part : {"query", "key", "value"}) {
    all.emplace_back(part + ".weight", random({dim, dim}, all.size() + 1));
    all.emplace_back(part + ".bias", random({dim}, all.size() + 1));
  }
  all.emplace_back("layernorm.weight", random({dim}, 7));
  all.emplace_back("layernorm.bias", random({dim}, 8));
  return all;
}

class CheckpointTest : public testing::Test {
 protected:
  Checkpoint write(const Tensors& tensors) const {
    std::vector<formats::TensorView> views;
    for (const auto& [name, tensor] : tensors) views.push_back(view_of(name, tensor));
    formats::write_safetensors(file(), views);
    return Checkpoint(formats::open_weights(file()), table);
  }
  std::filesystem::path file() const { return folder_ / "model.safetensors"; }

 private:
  TemporaryFolder folder_;
};

TEST_F(CheckpointTest, JoinsWhatTheTableSplits) {
  const auto tensors = toy_tensors();
  Toy toy;
  write(tensors).load(toy);
  EXPECT_TRUE(same(toy.qkv.weights.weight, at::cat({tensors[0].second, tensors[2].second, tensors[4].second})));
  EXPECT_TRUE(same(toy.qkv.weights.bias, at::cat({tensors[1].second, tensors[3].second, tensors[5].second})));
  EXPECT_TRUE(same(toy.norm.weights.weight, tensors[6].second));
}

TEST_F(CheckpointTest, ShowsTheFileWithoutCopyingIt) {
  const auto checkpoint = write(toy_tensors());
  Toy first, second;
  checkpoint.load(first);
  checkpoint.load(second);
  EXPECT_EQ(first.norm.weights.weight.const_data_ptr(), second.norm.weights.weight.const_data_ptr());
}

TEST_F(CheckpointTest, KeepsTheFileMappedAsLongAsATensorLives) {
  Toy toy;
  write(toy_tensors()).load(toy);
  std::filesystem::remove(file());
  EXPECT_TRUE(same(toy.norm.weights.weight, toy_tensors()[6].second));
}

TEST_F(CheckpointTest, ReportsAllThatDoesNotFitInOneError) {
  auto tensors = toy_tensors();
  tensors[2] = {"key.weight", random({4, 5}, 1)};     // cannot be joined
  tensors[6] = {"layernorm.weight", random({5}, 1)};  // another shape
  tensors[1].first = "query.bais";                    // one missing, one unexpected
  tensors[7].first = "layernorm.beta";
  tensors.emplace_back("mask", random({3}, 1));  // dropped: no complaint
  const auto checkpoint = write(tensors);
  Toy toy;
  const auto error = error_of([&] { checkpoint.load(toy); });
  EXPECT_THAT(error, AllOf(HasSubstr(file().string()), HasSubstr("somebody")));
  EXPECT_THAT(error, AllOf(HasSubstr("missing (2): query.bias, layernorm.bias"),
                           HasSubstr("unexpected (2): layernorm.beta, query.bais")));
  EXPECT_THAT(error, HasSubstr("query.weight + key.weight + value.weight: expected [12, 4]"));
  EXPECT_THAT(error, HasSubstr("layernorm.weight: expected [4], found [5]"));
  EXPECT_THAT(error, Not(HasSubstr("mask")));
  EXPECT_EQ(error_of([&] { checkpoint.verify(toy); }), error);
  EXPECT_TRUE(toy.norm.weights.bias.is_meta()) << "nothing is loaded by halves";
}

TEST_F(CheckpointTest, WidensHalfPrecisionExactly) {
  for (const auto dtype : {at::kHalf, at::kBFloat16, at::kDouble}) {
    auto tensors = toy_tensors();
    for (auto& [name, tensor] : tensors) tensor = tensor.to(dtype);
    Toy toy;
    write(tensors).load(toy);
    EXPECT_TRUE(same(toy.norm.weights.bias, tensors[7].second.to(at::kFloat)));
    EXPECT_TRUE(same(toy.qkv.weights.weight.slice(0, 4, 8), tensors[2].second.to(at::kFloat)));
  }
}

TEST_F(CheckpointTest, RefusesOtherDtypesByName) {
  auto views = std::vector{view_of("layernorm.weight", random({4}, 1))};
  views[0].dtype = formats::Dtype::u32;
  formats::write_safetensors(file(), views);
  const Checkpoint checkpoint(formats::open_weights(file()), table);
  EXPECT_THAT(error_of([&] { checkpoint.read("norm.weight"); }),
              AllOf(HasSubstr("layernorm.weight"), HasSubstr("U32")));
}

TEST_F(CheckpointTest, CopiesTensorsThatAreNotAligned) {
  const Tensor values = random({4}, 1);
  std::string header = R"({"layernorm.weight":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})";
  while (header.size() % 4 != 1) header += ' ';  // as old writers, which did not pad
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  bytes += header;
  bytes.append(static_cast<const char*>(values.const_data_ptr()), 16);
  write_file(file(), bytes);
  const auto files = formats::open_weights(file());
  ASSERT_FALSE(files.find("layernorm.weight")->aligned());
  const Tensor read = Checkpoint(files, table).read("norm.weight");
  EXPECT_TRUE(same(read, values));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(read.const_data_ptr()) % 4, 0u);
}

TEST_F(CheckpointTest, DoesNotLoadUnderInferenceMode) {  // its tensors could never be trained
  const auto checkpoint = write(toy_tensors());
  Toy toy;
  const c10::InferenceMode inference;
  EXPECT_THAT(error_of([&] { checkpoint.load(toy); }), HasSubstr("InferenceMode"));
  EXPECT_THAT(error_of([&] { freeze(toy, nn::Precision::fp32, &checkpoint); }), HasSubstr("InferenceMode"));
  EXPECT_THAT(error_of([&] { thaw(toy, &checkpoint); }), HasSubstr("InferenceMode"));
}

TEST_F(CheckpointTest, SurvivesAFileThatShrinks) {
  const auto checkpoint = write(toy_tensors(256));
  Toy toy(256);
  checkpoint.load(toy);
  freeze(toy, nn::Precision::fp32, &checkpoint);
  std::filesystem::resize_file(file(), 4096);
  EXPECT_THAT(error_of([&] { thaw(toy, &checkpoint); }), HasSubstr(file().string()));

  const auto again = write(toy_tensors(256));
  Toy other(256);
  again.load(other);
  std::filesystem::resize_file(file(), 4096);
  EXPECT_THAT(error_of([&] { freeze(other, nn::Precision::bf16, &again); }), HasSubstr(file().string()));
}

TEST_F(CheckpointTest, IsReadBackAsItWasWritten) {
  const auto tensors = toy_tensors();
  Toy toy;
  write(tensors).load(toy);
  const auto copy = file().parent_path() / "copy.safetensors";
  write_checkpoint(copy, toy, table, "");
  const auto files = formats::open_weights(copy);
  EXPECT_EQ(files.names().size(), tensors.size());
  EXPECT_EQ(files.metadata().at("format"), "pt");
  for (const auto& [name, tensor] : tensors) {
    const auto* view = files.find(name);
    ASSERT_NE(view, nullptr) << name;
    EXPECT_EQ(view->shape, tensor.sizes().vec()) << name;
    EXPECT_EQ(std::memcmp(view->bytes.data(), tensor.const_data_ptr(), tensor.nbytes()), 0) << name;
  }
}

}  // namespace
}  // namespace nunchi::weights
