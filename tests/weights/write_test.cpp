// write_checkpoint is the inverse of load, on the files that transformers wrote.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "core/temporary_folder.h"
#include "weights/cases.h"

namespace nunchi::weights {
namespace {

class WriteBack : public testing::TestWithParam<const char*> {};

TEST_P(WriteBack, GivesTheSameNamesAndBytes) {
  const TemporaryFolder folder;
  const auto original = formats::open_weights(case_model(GetParam()));
  const auto loaded = load_case(GetParam());
  const auto prefix = loaded.keys.find_prefix(original.names());
  write_checkpoint(folder / "model.safetensors", *loaded.model, loaded.keys, prefix);
  const auto written = formats::open_weights(folder / "model.safetensors");
  std::size_t expected = 0;
  for (const auto& name : original.names()) {
    if (loaded.keys.is_dropped(name, prefix)) continue;
    ++expected;
    const auto *before = original.find(name), *after = written.find(name);
    ASSERT_NE(after, nullptr) << name;
    EXPECT_EQ(after->shape, before->shape) << name;
    ASSERT_EQ(after->dtype, before->dtype) << name;
    EXPECT_EQ(std::memcmp(after->bytes.data(), before->bytes.data(), before->bytes.size()), 0) << name;
  }
  EXPECT_EQ(written.names().size(), expected);
}

INSTANTIATE_TEST_SUITE_P(Cases, WriteBack,
                         testing::Values("vit_classifier", "vit_pooler", "vit_no_qkv_bias", "vit_sharded",
                                         "vit_uneven_heads", "deit_distilled", "deit_classifier", "dinov2",
                                         "dinov2_classifier", "dinov2_swiglu", "dinov2_registers",
                                         "dinov2_registers_swiglu", "mobilenet_v2", "mobilenet_v2_model",
                                         "mobilenet_v2_expansion_in_stem", "swin_classifier", "swin_no_pooler",
                                         "timm_vit_map", "beit_classifier", "dinov3"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace nunchi::weights
