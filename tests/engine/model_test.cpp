#include "engine/nunchi.h"

#include <gmock/gmock.h>

#include <unistd.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

namespace nunchi {
namespace {

using testing::AllOf;
using testing::HasSubstr;
namespace fs = std::filesystem;

const fs::path cases = fs::path(NUNCHI_SOURCE_DIR) / "tests/golden/cases";

fs::path model_of(const std::string& name) { return cases / name / "model"; }
fs::path picture_of(const std::string& name) { return cases / name / "input.png"; }

const Model& vit() {
  static const Model model(model_of("vit_classifier"));
  return model;
}

std::vector<std::pair<std::string, float>> pairs(const std::vector<Answer>& answers) {
  std::vector<std::pair<std::string, float>> all;
  for (const auto& answer : answers) all.emplace_back(answer.label, answer.probability);
  return all;
}

// The kind and the text of what `body` throws; anything but an Error fails the test.
std::pair<ErrorKind, std::string> error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return {error.kind(), error.what()};
  }
  ADD_FAILURE() << "nothing was thrown";
  return {ErrorKind::internal, ""};
}

TEST(Model, ExplainsItsAnswer) {
  const auto map = vit().explain(picture_of("vit_classifier"));
  EXPECT_EQ(map.rows * map.columns, 36);
  EXPECT_EQ(map.values.size(), 36U);
  EXPECT_EQ(map.id, vit().classify(picture_of("vit_classifier"), 1).front().id);
  const auto other = vit().explain(picture_of("vit_classifier"), {.method = "grad-rollout", .id = 2});
  EXPECT_EQ(other.id, 2);
  EXPECT_NE(other.values, map.values);
  EXPECT_THAT(error_of([] { vit().explain(picture_of("vit_classifier"), {.id = 7}); }).second, HasSubstr("0 to 6"));
  EXPECT_THAT(error_of([] { vit().explain(picture_of("vit_classifier"), {.method = "lime"}); }).second,
              HasSubstr("nearest"));
}

TEST(Model, TellsWhatItIs) {
  EXPECT_EQ(vit().classes(), 7);
  EXPECT_GT(vit().parameters(), 10'000);
  EXPECT_EQ(Model(model_of("vit_pooler")).classes(), 0);
}

TEST(Model, ClassifiesAPicture) {
  const auto answers = vit().classify(picture_of("vit_classifier"));
  ASSERT_EQ(answers.size(), 5u);
  for (std::size_t i = 1; i < answers.size(); ++i) EXPECT_GE(answers[i - 1].probability, answers[i].probability);
  float sum = 0;
  for (const auto& answer : vit().classify(picture_of("vit_classifier"), 7)) sum += answer.probability;
  EXPECT_NEAR(sum, 1, 1e-6);
  EXPECT_EQ(vit().classify(picture_of("vit_classifier"), 1).size(), 1u);
}

TEST(Model, Embeds) {
  EXPECT_EQ(vit().embed(picture_of("vit_classifier")).size(), 36u);
  EXPECT_FALSE(Model(model_of("mobilenet_v2")).embed(picture_of("mobilenet_v2")).empty());
}

TEST(Model, SeveralThreadsGetTheSameAnswers) {
  const Model other(model_of("mobilenet_v2"));
  const auto expected = pairs(vit().classify(picture_of("vit_classifier")));
  const auto expected_other = pairs(other.classify(picture_of("mobilenet_v2")));
  const auto expected_row = vit().embed(picture_of("vit_classifier"));
  std::vector<std::thread> threads;
  std::atomic<int> different = 0;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 8; ++k) {
        different += pairs(vit().classify(picture_of("vit_classifier"))) != expected;
        different += pairs(other.classify(picture_of("mobilenet_v2"))) != expected_other;
        different += vit().embed(picture_of("vit_classifier")) != expected_row;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(different, 0);
}

TEST(Model, IsLoadedInSeveralThreadsAtOnce) {
  const auto expected = pairs(vit().classify(picture_of("vit_classifier")));
  std::vector<std::thread> threads;
  std::atomic<int> different = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      different += pairs(Model(model_of("vit_classifier")).classify(picture_of("vit_classifier"))) != expected;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(different, 0);
}

TEST(Model, AnErrorInOneThreadDoesNotDisturbTheOthers) {
  const auto expected = pairs(vit().classify(picture_of("vit_classifier")));
  std::atomic<int> errors = 0, different = 0;
  std::thread failing([&] {
    for (int i = 0; i < 20; ++i) {
      try {
        vit().classify(cases / "absent.png");
      } catch (const Error&) {
        ++errors;
      }
    }
  });
  for (int i = 0; i < 20; ++i) different += pairs(vit().classify(picture_of("vit_classifier"))) != expected;
  failing.join();
  EXPECT_EQ(errors, 20);
  EXPECT_EQ(different, 0);
}

TEST(Model, IsMoved) {
  Model first(model_of("vit_classifier"));
  const auto expected = pairs(first.classify(picture_of("vit_classifier")));
  Model second(std::move(first));
  EXPECT_EQ(pairs(second.classify(picture_of("vit_classifier"))), expected);
  Model third(model_of("mobilenet_v2"));
  third = std::move(second);
  EXPECT_EQ(pairs(third.classify(picture_of("vit_classifier"))), expected);
}

TEST(Model, Bf16IsNearFp32) {
  const Model bf16(model_of("vit_classifier"), {.precision = "bf16", .arch = "", .threads = 0});
  const auto coarse = bf16.embed(picture_of("vit_classifier")), fine = vit().embed(picture_of("vit_classifier"));
  ASSERT_EQ(coarse.size(), fine.size());
  EXPECT_NE(coarse, fine);
  for (std::size_t i = 0; i < fine.size(); ++i) EXPECT_NEAR(coarse[i], fine[i], 0.1);
}

TEST(PictureView, EqualsTheFileOfTheSamePixels) {
  const int width = 20, height = 14;
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(3 * width * height));
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 37 + i / 60);
  const fs::path path = fs::temp_directory_path() / ("nunchi-view-" + std::to_string(getpid()) + ".ppm");
  std::ofstream(path, std::ios::binary) << "P6\n20 14\n255\n" << std::string(pixels.begin(), pixels.end());
  const PictureView view{.pixels = pixels.data(), .width = width, .height = height};
  EXPECT_EQ(pairs(vit().classify(view)), pairs(vit().classify(path)));
  EXPECT_EQ(vit().embed(view), vit().embed(path));
  fs::remove(path);
}

TEST(PictureView, WithoutPixelsOrSizeIsRefused) {
  const std::uint8_t pixels[3] = {};
  for (const PictureView& view : {PictureView{}, PictureView{.pixels = pixels, .width = 0, .height = 1},
                                  PictureView{.pixels = pixels, .width = 1, .height = -1}}) {
    EXPECT_EQ(error_of([&] { vit().classify(view); }).first, ErrorKind::input);
    EXPECT_EQ(error_of([&] { vit().embed(view); }).first, ErrorKind::input);
  }
}

// --- failures: one type, and its kind says whose fault it is

TEST(Errors, OfTheModel) {
  const auto [kind, text] = error_of([] { Model(cases / "no_such_model"); });
  EXPECT_EQ(kind, ErrorKind::model);
  EXPECT_THAT(text, AllOf(HasSubstr("no_such_model"), HasSubstr("config.json")));
  EXPECT_EQ(error_of([] { Model(cases / "vit_classifier"); }).first, ErrorKind::model);  // one folder too high
  const Model backbone(model_of("vit_pooler"));
  EXPECT_EQ(error_of([&] { backbone.classify(picture_of("vit_pooler")); }).first, ErrorKind::model);
}

TEST(Errors, OfThePicture) {
  const auto [kind, text] = error_of([] { vit().classify(cases / "absent.png"); });
  EXPECT_EQ(kind, ErrorKind::input);
  EXPECT_THAT(text, HasSubstr("absent.png"));
  EXPECT_EQ(error_of([] { vit().embed(cases / "README.md"); }).first, ErrorKind::input);
  EXPECT_EQ(error_of([] { vit().classify(cases); }).first, ErrorKind::input);
}

TEST(Errors, OfTheUse) {
  const auto with = [](const std::string& precision) {
    return error_of([&] { Model(model_of("vit_classifier"), {.precision = precision, .arch = "", .threads = 0}); });
  };
  EXPECT_EQ(with("fp8").first, ErrorKind::usage);
  EXPECT_THAT(with("fp8").second, HasSubstr("fp32, bf16 and int8"));
}

// --- the public headers show no LibTorch, and this program links none

TEST(PublicHeaders, NameNoTypeOfLibTorch) {
  for (const auto* name : {"engine/nunchi.h", "engine/model.h", "core/error.h"}) {
    std::ostringstream text;
    text << std::ifstream(fs::path(NUNCHI_SOURCE_DIR) / "src" / name).rdbuf();
    EXPECT_THAT(text.str(), HasSubstr("#pragma once")) << name;
    for (const auto* word : {"at::", "c10::", "torch::", "<ATen", "<c10", "<torch", "ops/tensor.h"}) {
      EXPECT_THAT(text.str(), testing::Not(HasSubstr(word))) << name;
    }
  }
}

}  // namespace
}  // namespace nunchi
