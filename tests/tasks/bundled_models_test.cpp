#include "tasks/bundled_models.h"

#include <gmock/gmock.h>

#include <ATen/ops/rand.h>

#include "core/asset.h"
#include "core/error.h"
#include "tasks/vision_model.h"

namespace nunchi::tasks {
namespace {

namespace fs = std::filesystem;

const fs::path folder = NUNCHI_SOURCE_DIR "/assets/bundled";

TEST(BundledModels, AreTheFoldersOfAssets) {
  std::vector<std::string> expected;
  if (fs::is_directory(folder)) {
    for (const auto& entry : fs::directory_iterator(folder))
      if (fs::exists(entry.path() / "config.json")) expected.push_back(entry.path().filename().string());
  }
  EXPECT_THAT(bundled_models(), testing::UnorderedElementsAreArray(expected));
  for (const auto& name : bundled_models()) {
    EXPECT_TRUE(is_bundled(name));
    EXPECT_LE(asset("bundled/" + name + "/model.safetensors").size(), 8u << 20) << name;
  }
}

TEST(BundledModels, LoadLikeTheFolderThatTheyWere) {
  if (bundled_models().empty()) GTEST_SKIP() << "this build bundles no model";
  for (const auto& name : bundled_models()) {
    const VisionModel embedded({.path = name}), from_folder({.path = folder / name});
    const auto shape = embedded.network().input_shape();
    const Tensor pixels = at::rand({1, shape[0], shape[1], shape[2]});
    EXPECT_TRUE(embedded.forward(pixels).logits.equal(from_folder.forward(pixels).logits)) << name;
    EXPECT_EQ(embedded.labels(), from_folder.labels());
    EXPECT_NO_THROW(embedded.transform());
  }
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

TEST(BundledModels, TheFirstIsTheDefaultAndItsLackIsTold) {
  if (!bundled_models().empty()) {
    EXPECT_EQ(default_bundled_model(), bundled_models().front());
    return;
  }
  try {
    default_bundled_model();
    FAIL() << "there is none";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), testing::HasSubstr("bundles none"));
  }
}

}  // namespace
}  // namespace nunchi::tasks
