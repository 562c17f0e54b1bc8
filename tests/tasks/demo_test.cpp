#include "tasks/demo.h"

#include <gmock/gmock.h>

#include "core/file.h"
#include "core/temporary_folder.h"
#include "tasks/vision_model.h"

namespace nunchi::tasks {
namespace {

const std::string vit = NUNCHI_SOURCE_DIR "/tests/golden/cases/vit_classifier/model";

TEST(DemoPhotos, ArePartOfTheProgramWithTheirCredits) {
  const auto photos = bundled_photos();
  ASSERT_GE(photos.size(), 5u);
  std::size_t bytes = 0;
  for (const auto& photo : photos) {
    EXPECT_THAT(photo.credit, testing::ContainsRegex("CC (BY|0)")) << photo.name;
    EXPECT_GE(image::decode(std::as_bytes(std::span(photo.bytes)), photo.name).width, 200);
    bytes += photo.bytes.size();
  }
  EXPECT_LT(bytes, 2'000'000u);
}

TEST(Demo, ShowsEveryPhoto) {
  const VisionModel model({.path = vit});
  const auto photos = bundled_photos();
  const auto run = run_demo(model, photos);
  ASSERT_EQ(run.pictures.size(), photos.size());
  ASSERT_EQ(run.cosines.size(), photos.size() * photos.size());
  for (std::size_t i = 0; i < photos.size(); ++i) {
    const auto& shown = run.pictures[i];
    EXPECT_EQ(shown.name, photos[i].name);
    ASSERT_EQ(shown.answers.size(), 5u);
    EXPECT_GE(shown.answers[0].probability, shown.answers[1].probability);
    EXPECT_NEAR(run.cosines[i * photos.size() + i], 1, 1e-5);
    EXPECT_EQ(shown.attention.size(), static_cast<std::size_t>(shown.rows) * static_cast<std::size_t>(shown.columns));
    EXPECT_EQ(shown.rollout.size(), shown.attention.size());
    EXPECT_EQ(shown.input.width, model.network().input_shape()[2]);
    EXPECT_GT(shown.network_seconds, 0);
  }
}

// The answer is that of the network on the transform's pixels, nothing else.
TEST(Demo, AnswersAreTheNetworksOwn) {
  const VisionModel model({.path = vit});
  const auto photo = bundled_photos().front();
  const auto picture = image::decode(std::as_bytes(std::span(photo.bytes)), photo.name);
  const auto output = model.forward(as_batch(image::apply(model.transform(), picture)));
  const auto expected = top_predictions(model, output.logits, 1).front().front();
  const auto run = run_demo(model, {photo});
  EXPECT_EQ(run.pictures.front().answers.front().id, expected.id);
  EXPECT_EQ(run.pictures.front().answers.front().probability, expected.probability);
}

TEST(Demo, WhatCannotBeReadIsToldAndLeftOut) {
  const TemporaryFolder folder;
  write_file(folder / "broken.jpg", "no picture");
  auto inputs = bundled_photos();
  inputs.resize(1);
  inputs.push_back({.name = "broken", .credit = {}, .path = folder / "broken.jpg"});
  const auto run = run_demo(VisionModel({.path = vit}), inputs);
  EXPECT_EQ(run.pictures.size(), 1u);
  EXPECT_THAT(run.failures, testing::ElementsAre(testing::HasSubstr("broken.jpg")));
}

}  // namespace
}  // namespace nunchi::tasks
