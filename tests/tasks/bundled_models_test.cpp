#include "tasks/bundled_models.h"

#include <gmock/gmock.h>

#include <ATen/ops/rand.h>
#include <ATen/ops/tensor.h>

#include <algorithm>

#include "core/asset.h"
#include "core/json.h"
#include "image/decode.h"
#include "tasks/vision_model.h"

namespace nunchi::tasks {
namespace {

namespace fs = std::filesystem;

const fs::path folder = NUNCHI_SOURCE_DIR "/assets/bundled";

TEST(BundledModels, AreTheFoldersOfAssets) {
  std::vector<std::string> expected;
  for (const auto& entry : fs::directory_iterator(folder)) expected.push_back(entry.path().filename().string());
  EXPECT_THAT(bundled_models(), testing::UnorderedElementsAreArray(expected));
  EXPECT_THAT(bundled_models(), testing::Contains(default_bundled_model()));
  for (const auto& name : bundled_models()) {
    EXPECT_TRUE(is_bundled(name));
    EXPECT_LE(asset("bundled/" + name + "/model.safetensors").size(), 8u << 20) << name;
  }
}

TEST(BundledModels, LoadLikeTheFolderThatTheyWere) {
  for (const auto& name : bundled_models()) {
    const VisionModel embedded({.path = name}), from_folder({.path = folder / name});
    const auto shape = embedded.network().input_shape();
    const Tensor pixels = at::rand({1, shape[0], shape[1], shape[2]});
    EXPECT_TRUE(embedded.forward(pixels).logits.equal(from_folder.forward(pixels).logits)) << name;
    EXPECT_EQ(embedded.labels(), from_folder.labels());
    EXPECT_NO_THROW(embedded.transform());
  }
}

// The largest difference from timm's logits for photos of assets/photos (tools/check_bundled.py), relative to the
// largest of them.
float difference_from_timm(nn::Precision precision) {
  const VisionModel model({.path = default_bundled_model()}, precision);
  const Json expected = read_json(NUNCHI_SOURCE_DIR "/tests/golden/bundled.json");
  EXPECT_EQ(expected.size(), 3u);
  float worst = 0;
  for (const auto& [photo, values] : expected.items()) {
    const auto bytes = std::as_bytes(std::span(asset("photos/" + photo + ".jpg")));
    const auto pixels = as_batch(image::apply(model.transform(), image::decode(bytes, photo)));
    const Tensor wanted = at::tensor(values.get<std::vector<double>>(), at::kFloat);
    const Tensor found = model.forward(pixels).logits[0].to(at::kFloat);
    worst = std::max(worst, (found - wanted).abs().max().item<float>() / wanted.abs().max().item<float>());
  }
  return worst;
}

TEST(BundledModels, AnswerAsInTimm) {
  EXPECT_LT(difference_from_timm(nn::Precision::fp32), 1e-5);
  EXPECT_LT(difference_from_timm(nn::Precision::bf16), 0.02);
  EXPECT_LT(difference_from_timm(nn::Precision::int8), 0.03);
}

TEST(BundledModels, TheirJsonIsReadFromMemory) {
  for (const auto& name : bundled_models()) {
    EXPECT_TRUE(read_model_json(name, "config.json")->is_object());
    EXPECT_FALSE(read_model_json(name, "nothing.json"));
    EXPECT_EQ(open_model_weights(name).names(), formats::open_weights(folder / name).names());
  }
}

TEST(BundledModels, AnotherNameIsNone) {
  EXPECT_FALSE(is_bundled(""));
  EXPECT_FALSE(is_bundled("vit"));
  EXPECT_FALSE(is_bundled(folder));
  EXPECT_FALSE(bundled_file("vit", "config.json"));
}

}  // namespace
}  // namespace nunchi::tasks
