// Parameters and multiply-accumulates of the published sizes, against what the peers' own models count.
#include <gtest/gtest.h>

#include "models/architectures.h"

namespace nunchi::models {
namespace {

const Json& golden() {
  static const Json all = read_json(std::filesystem::path(NUNCHI_SOURCE_DIR) / "tests/golden/presets.json")["presets"];
  return all;
}

struct Row {
  const char *preset, *peer;
};

class Presets : public testing::TestWithParam<Row> {};

TEST_P(Presets, CostWhatThePeersCost) {
  const auto built = build_named(GetParam().preset);
  const auto& row = golden().at(GetParam().peer);
  EXPECT_EQ(built.model->parameter_count(), row["parameters"].get<std::int64_t>());
  EXPECT_EQ(count_macs(*built.model, {3, row["input_size"], row["input_size"]}), row["macs"].get<std::int64_t>());
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, Presets,
    testing::Values(Row{"vit_tiny_patch16_224", "transformers/deit-tiny-patch16-224"},
                    Row{"vit_small_patch16_224", "transformers/deit-small-patch16-224"},
                    Row{"vit_base_patch16_224", "transformers/vit-base-patch16-224"},
                    Row{"vit_base_patch32_224", "transformers/vit-base-patch32-224"},
                    Row{"vit_large_patch16_224", "transformers/vit-large-patch16-224"},
                    Row{"deit_tiny_distilled_patch16_224", "transformers/deit-tiny-distilled-patch16-224"},
                    Row{"deit_small_distilled_patch16_224", "transformers/deit-small-distilled-patch16-224"},
                    Row{"deit_base_distilled_patch16_224", "transformers/deit-base-distilled-patch16-224"}),
    [](const auto& test) { return std::string(test.param.preset); });

std::string model_type(const std::string& peer_class) {
  for (const auto& [begin, type] : {std::pair{"Dinov2WithRegisters", "dinov2_with_registers"},
                                    {"Dinov2", "dinov2"},
                                    {"DeiT", "deit"},
                                    {"ViT", "vit"}}) {
    if (peer_class.starts_with(begin)) return type;
  }
  return "mobilenet_v2";
}

// The names by which a checkpoint of this class shows what it has.
std::vector<std::string> telling_names(const std::string& peer_class) {
  if (peer_class == "ViTModel") return {"pooler.dense.weight"};
  if (peer_class.ends_with("WithTeacher")) return {"cls_classifier.weight", "distillation_classifier.weight"};
  if (peer_class.ends_with("ForImageClassification")) return {"classifier.weight"};
  return {};
}

TEST(ConfigsOfThePeers, CostWhatThePeersCost) {
  ASSERT_GT(golden().size(), 20u);
  for (const auto& [name, row] : golden().items()) {
    if (!name.starts_with("transformers/")) continue;
    SCOPED_TRACE(name);
    const auto peer_class = row["class"].get<std::string>();
    Json config = row["config"];
    config["model_type"] = model_type(peer_class);
    config["architectures"] = {peer_class};
    if (!config.contains("num_labels") && !config.contains("id2label"))
      config["num_labels"] = peer_class.starts_with("Mobile") ? 1001 : 1000;
    Source source{.name = config["model_type"], .config = config};
    for (const auto& key : telling_names(peer_class)) source.shapes[key] = {};
    const auto model = build(source).model;
    // DINOv2 carries a mask token that only pre-training uses.
    const auto unused = peer_class.starts_with("Dinov2") ? config["hidden_size"].get<std::int64_t>() : 0;
    EXPECT_EQ(model->parameter_count() + unused, row["parameters"].get<std::int64_t>());
    EXPECT_EQ(count_macs(*model, {3, row["input_size"], row["input_size"]}), row["macs"].get<std::int64_t>());
  }
}

}  // namespace
}  // namespace nunchi::models
