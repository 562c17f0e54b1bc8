#include "image/transform.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "image/decode.h"
#include "image/golden.h"
#include "image/random.h"

namespace nunchi::image {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Null where a value is needed is refused by the peers at the first picture, by us when the file is read.
bool refuses(const Json& golden_case) {
  try {
    transform_from_preprocessor_config(golden_case["config"], Json::object());
  } catch (const Error&) {
    return true;
  }
  return false;
}

Transform transform_of(const Json& golden_case) {
  if (golden_case["kind"] == "timm") return transform_from_timm(golden_case["config"]);
  Transform transform = transform_from_preprocessor_config(golden_case["config"], Json::object());
  if (golden_case["kind"] == "torchvision") transform = on_torchvision(transform);
  return transform;
}

std::string run(const Transform& transform, const Picture& picture) {
  try {
    const PixelValues found = apply(transform, picture);
    return fmt::format("[{},{},{}] {}", found.channels, found.height, found.width, hash_text(found.values));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return "error";
  }
}

std::string expected_of(const Json& answer) { return answer["shape"].dump() + " " + answer["hash"].get<std::string>(); }

TEST(Transform, EqualsThePeersBitForBit) {
  const bool photos = std::filesystem::exists(shared() / "photos");
  int compared = 0;
  for (const Json& golden_case : read_json(golden() / "transforms.json")) {
    if (!golden_case.contains("kind")) continue;
    if (golden_case["pictures"][0].contains("error")) {
      EXPECT_TRUE(refuses(golden_case)) << golden_case["config"];
      continue;
    }
    const Transform transform = transform_of(golden_case);
    for (const Json& answer : golden_case["pictures"]) {
      if (answer.contains("photo") && !photos) continue;
      const Picture picture = answer.contains("photo")
                                  ? read_picture(shared() / answer["photo"].get<std::string>())
                                  : random_picture(answer["seed"], answer["width"], answer["height"], 3);
      EXPECT_EQ(run(transform, picture), expected_of(answer))
          << golden_case["kind"] << " " << golden_case["config"] << " " << answer << "\n"
          << describe(transform);
      ++compared;
    }
  }
  EXPECT_GT(compared, 200);
}

TEST(Transform, FindsItsClassByEveryOldName) {
  const auto source = [](const Json& preprocessor, const Json& config) {
    return transform_from_preprocessor_config(preprocessor, config).source;
  };
  const Json none = Json::object();
  EXPECT_EQ(source({{"image_processor_type", "ViTImageProcessorFast"}}, none), "ViTImageProcessor");
  EXPECT_EQ(source({{"feature_extractor_type", "DeiTFeatureExtractor"}}, none), "DeiTImageProcessor");
  EXPECT_EQ(source(none, {{"model_type", "dinov2"}}), "BitImageProcessor");
  EXPECT_EQ(source({{"image_processor", {{"image_processor_type", "CLIPImageProcessor"}}}}, none),
            "CLIPImageProcessor");
  EXPECT_EQ(source({{"image_processor_type", "TimmWrapperImageProcessor"}}, {{"pretrained_cfg", none}}), "timm");
  EXPECT_EQ(source(none, {{"pretrained_cfg", none}}), "timm");
}

TEST(Transform, RefusesWhatItCannotFollow) {
  const auto build = [](const Json& preprocessor) {
    return [preprocessor] { transform_from_preprocessor_config(preprocessor, {{"model_type", "vit"}}); };
  };
  EXPECT_THAT(build({{"image_processor_type", "FooImageProcessor"}}),
              ThrowsMessage<Error>(HasSubstr("FooImageProcessor")));
  EXPECT_THAT(build({{"size", {{"shortest", 3}}}}), ThrowsMessage<Error>(HasSubstr("\"size\"")));
  EXPECT_THAT(build({{"size", -3}}), ThrowsMessage<Error>(HasSubstr("number of pixels")));
  EXPECT_THAT(build({{"size", "big"}}), ThrowsMessage<Error>(HasSubstr("\"size\"")));
  EXPECT_THAT(build({{"resample", 9}}), ThrowsMessage<Error>(HasSubstr("resample")));
  EXPECT_THAT(build({{"image_mean", {1, 2}}}), ThrowsMessage<Error>(HasSubstr("image_mean")));
  EXPECT_THAT(build({{"do_center_crop", true}}), ThrowsMessage<Error>(HasSubstr("crop_size")));
  EXPECT_THAT([] { transform_from_timm({{"interpolation", "magic"}}); }, ThrowsMessage<Error>(HasSubstr("magic")));
  EXPECT_THAT(
      [] {
        transform_from_timm({{"input_size", {1, 28, 28}}});
      },
      ThrowsMessage<Error>(HasSubstr("input_size")));
}

TEST(Transform, DescribesItselfInWords) {
  const Transform mobilenet = transform_from_preprocessor_config(Json::object(), {{"model_type", "mobilenet_v2"}});
  EXPECT_EQ(describe(mobilenet),
            "shortest side to 256 (bilinear)\n"
            "centre crop 224x224\n"
            "x / 255\n"
            "(x - mean) / std, mean 0.5 0.5 0.5, std 0.5 0.5 0.5");
  EXPECT_EQ(describe(with_size(mobilenet, 96, 128)).substr(0, 26), "resize to 96x128 (bilinear");
}

TEST(Transform, GivenSizeIsTakenExactlyWithoutCrop) {
  const Transform clip = transform_from_preprocessor_config(Json::object(), {{"model_type", "clip"}});
  const Picture picture = random_picture(1, 100, 50, 3);
  const PixelValues values = apply(with_size(clip, 70, 42), picture);
  EXPECT_EQ(values.height, 70);
  EXPECT_EQ(values.width, 42);
  EXPECT_EQ(output_size(clip, {50, 100}), (Size{224, 224}));
}

TEST(Transform, GrayPicturesFillThreeChannels) {
  const Transform vit = transform_from_preprocessor_config(Json::object(), {{"model_type", "vit"}});
  const Picture gray = random_picture(3, 40, 30, 1);
  Picture color = make_picture(40, 30);
  for (std::size_t i = 0; i < color.pixels.size(); ++i) color.pixels[i] = gray.pixels[i / 3];
  EXPECT_EQ(apply(vit, gray).values, apply(vit, color).values);
}

}  // namespace
}  // namespace nunchi::image
