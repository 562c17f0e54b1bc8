#include "tasks/classifier.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/softmax.h>
#include <gmock/gmock.h>

#include <set>

#include "image/exif.h"
#include "tasks/cases.h"
#include "tasks/classify.h"

namespace nunchi::tasks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

namespace fs = std::filesystem;

const fs::path vit = case_model("vit_classifier");

std::vector<VisionModel> models(const std::vector<fs::path>& paths) {
  std::vector<VisionModel> result;
  for (const auto& path : paths) result.emplace_back(ModelSource{.path = path});
  return result;
}

image::Picture picture(const std::string& name = "vit_classifier") {
  return image::read_picture(case_folder(name) / "input.png");
}

// [1, classes]
Tensor probabilities(const Classifier& classifier, const image::Picture& shown) {
  const auto values = classifier.prepare([&](bool) {
    auto copy = image::make_picture(shown.width, shown.height, shown.channels);
    std::copy(shown.pixels.begin(), shown.pixels.end(), copy.pixels.begin());
    return copy;
  });
  std::vector<Tensor> views;
  for (const auto& value : values) views.push_back(as_batch(value));
  return classifier.probabilities(views);
}

Tensor alone(const fs::path& path, const image::Picture& shown) {
  const VisionModel model({.path = path});
  return at::softmax(model.forward(as_batch(image::apply(model.transform(), shown))).logits, -1, at::kDouble);
}

std::set<std::string> names(const std::vector<View>& views) {
  std::set<std::string> result;
  for (const auto& view : views) result.insert(view.name);
  return result;
}

// --- views

bool same(const image::Picture& a, const image::Picture& b) {
  return a.width == b.width && a.height == b.height && std::ranges::equal(a.pixels, b.pixels);
}

// REQUIREMENTS R212: seven views are named there, and two of them are the same.
TEST(Views, FlipsAndRotationsAreSixDistinctPictures) {
  const auto views = views_from_names("flips,rotations");
  ASSERT_EQ(views.size(), 6u);
  const auto shown = picture();
  std::vector<image::Picture> seen_ones;
  for (const auto& view : views) seen_ones.push_back(seen(shown, view));
  for (std::size_t a = 0; a < views.size(); ++a)
    for (std::size_t b = a + 1; b < views.size(); ++b)
      EXPECT_FALSE(same(seen_ones[a], seen_ones[b])) << views[a].name << ", " << views[b].name;
}

TEST(Views, FourQuarterTurnsAreNone) {
  const auto views = views_from_names("rotations");
  auto turned = seen(picture(), {.name = "whole"});
  for (int i = 0; i < 4; ++i) turned = seen(turned, views[1]);
  EXPECT_TRUE(same(turned, picture()));
  auto there_and_back = seen(seen(picture(), views[1]), views[3]);
  EXPECT_TRUE(same(there_and_back, picture()));
}

TEST(Views, AreEachThereOnce) {
  EXPECT_THAT(names(views_from_names("flip")), ElementsAre("mirrored", "whole"));
  EXPECT_EQ(views_from_names("flip,flips,flip").size(), 4u);
  EXPECT_EQ(views_from_names("crops").size(), 6u);
  EXPECT_EQ(views_from_names("crops,scales").size(), 7u);
  EXPECT_EQ(views_from_names("all").size(), 1u + 5 + 5 + 1);
  EXPECT_EQ(views_from_names("all").front().name, "whole");
  for (const auto* wrong : {"", "flip,", "flop", "Flip"})
    EXPECT_THAT([&] { views_from_names(wrong); }, ThrowsMessage<Error>(HasSubstr("known are flip"))) << wrong;
}

TEST(Views, OfTheSmallestPictureHaveAPixel) {
  auto pixel = image::make_picture(1, 1);
  for (const auto& view : views_from_names("all")) EXPECT_EQ(seen(pixel, view).width, 1) << view.name;
}

// --- classifiers

TEST(Classifier, OfOneModelAndViewIsTheModel) {
  const Classifier classifier(models({vit}), {});
  EXPECT_TRUE(at::equal(probabilities(classifier, picture()), alone(vit, picture())));
}

TEST(Classifier, OfSeveralViewsIsTheirMean) {
  const Classifier classifier(models({vit}), {.views = views_from_names("flip")});
  const auto mirrored = seen(picture(), views_from_names("flip")[1]);
  const auto expected = (alone(vit, picture()) + alone(vit, mirrored)) / 2;
  EXPECT_TRUE(at::allclose(probabilities(classifier, picture()), expected, 0, 1e-12));
}

TEST(Classifier, OfSeveralModelsIsTheirWeightedMean) {
  const TemporaryFolder folder;
  const auto other = copy_case("vit_classifier", folder) / "model";
  change_arrays(other / "model.safetensors", [](Arrays& arrays) { arrays.at("classifier.bias").floats()[2] += 2; });
  const std::vector<fs::path> two = {vit, other};
  const auto a = alone(two[0], picture()), b = alone(two[1], picture());
  ASSERT_FALSE(at::allclose(a, b, 0, 1e-3));
  EXPECT_TRUE(at::allclose(probabilities(Classifier(models(two), {}), picture()), (a + b) / 2, 0, 1e-12));
  const Classifier weighted(models(two), {.weights = {3, 1}});
  EXPECT_TRUE(at::allclose(probabilities(weighted, picture()), 0.75 * a + 0.25 * b, 0, 1e-12));
  EXPECT_NEAR(probabilities(weighted, picture()).sum().item<double>(), 1, 1e-9);
}

TEST(Classifier, SeesThePartThatIsAskedFor) {
  const Classifier classifier(models({vit}), {.crop = image::Window{3, 5, 20, 11}});
  const auto part = image::crop(picture(), {3, 5, 20, 11});
  EXPECT_TRUE(at::equal(probabilities(classifier, picture()), alone(vit, part)));
  const Classifier outside(models({vit}), {.crop = image::Window{0, 0, 20000, 11}});
  EXPECT_THAT([&] { probabilities(outside, picture()); }, ThrowsMessage<Error>(HasSubstr("20000x11")));
}

TEST(Classifier, RefusesModelsThatDoNotBelongTogether) {
  EXPECT_THAT(
      [] {
        Classifier(models({vit, case_model("vit_pooler")}), {});
      },
      ThrowsMessage<Error>(HasSubstr("no classifier")));
  EXPECT_THAT([] { Classifier(models({vit}), {.weights = {1, 1}}); }, ThrowsMessage<Error>(HasSubstr("--weights")));
  EXPECT_THAT([] { Classifier(models({vit}), {.weights = {0}}); }, ThrowsMessage<Error>(HasSubstr("not all 0")));
  const TemporaryFolder folder;
  const auto copy = copy_case("vit_classifier", folder) / "model";
  change_json(copy / "config.json", [](Json& config) { config["id2label"]["1"] = "another"; });
  std::vector<VisionModel> both = models({vit});
  both.emplace_back(ModelSource{.path = copy});
  EXPECT_THAT([&] { Classifier(std::move(both), {}); }, ThrowsMessage<Error>(HasSubstr("\"another\"")));
}

}  // namespace
}  // namespace nunchi::tasks
