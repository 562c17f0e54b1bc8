// What classify can be told about its pictures and its models: --labels, --crop, --tta, --ensemble.
#include <gmock/gmock.h>

#include "cli/pictures.h"

namespace nunchi::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using ClassifyOptions = Pictures;

// The pixels of a picture that looks different from every side.
std::string image_of(int width, int height) {
  std::string pixels;
  for (int i = 0; i < width * height; ++i)
    for (const int value : {3 * (i % width), 5 * (i / width), (i * i / 7) % 200})
      pixels += static_cast<char>(value & 255);
  return pixels;
}

double probability(const Json& line, std::int64_t id) {
  for (const auto& prediction : line["predictions"])
    if (prediction["id"] == id) return prediction["probability"].get<double>();
  return -1;
}

Json classify(std::vector<std::string> words) {
  words.insert(words.begin(), "classify");
  words.insert(words.end(), {"--json", "--top", "100"});
  const auto run = run_program(words);
  EXPECT_EQ(run.exit_code, 0) << run.err;
  const auto lines = json_lines(run.out);
  EXPECT_EQ(lines.size(), 1u);
  return lines.empty() ? Json() : lines.front();
}

TEST_F(ClassifyOptions, LabelsReplaceTheCheckpoints) {
  write_file(out("names.txt"), "a\nb\nc\nd\ne\nf\ng\n");
  const auto run = run_program({"classify", vit, picture, "--labels", out("names.txt"), "--json", "--top", "7"});
  const auto predictions = json_lines(run.out).at(0)["predictions"];
  for (const auto& prediction : predictions)
    EXPECT_EQ(prediction["label"], std::string(1, static_cast<char>('a' + prediction["id"].get<int>())));
  const auto wrong = run_program({"classify", vit, picture, "--labels", "imagenet"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, AllOf(HasSubstr("expected 7 labels"), HasSubstr("found 1000")));
}

TEST_F(ClassifyOptions, CropIsThatPartAlone) {
  const auto whole = image_of(40, 30), part = out("part.ppm");
  write_file(out("whole.ppm"), "P6\n40 30\n255\n" + whole);
  std::string rows;
  for (std::size_t y = 4; y < 24; ++y) rows += whole.substr(3 * (y * 40 + 7), 3 * 25);
  write_file(part, "P6\n25 20\n255\n" + rows);
  EXPECT_EQ(classify({vit, out("whole.ppm"), "--crop", "7,4,25,20"})["predictions"],
            classify({vit, part})["predictions"]);
  EXPECT_NE(classify({vit, out("whole.ppm")})["predictions"], classify({vit, part})["predictions"]);
  const auto outside = run_program({"classify", vit, out("whole.ppm"), "--crop", "20,0,21,30"});
  EXPECT_EQ(outside.exit_code, 1);
  EXPECT_THAT(outside.err, AllOf(HasSubstr("whole.ppm"), HasSubstr("40x30")));
  for (const auto* wrong : {"1,2,3", "1,2,3,0", "-1,0,3,3", "1,2,3,4,5", "a,b,c,d", "1,2,3,4 "})
    EXPECT_EQ(run_program({"classify", vit, picture, "--crop", wrong}).exit_code, 2) << wrong;
}

TEST_F(ClassifyOptions, TtaIsTheMeanOverViews) {
  const auto pixels = image_of(40, 30);
  std::string mirrored;
  for (std::size_t y = 0; y < 30; ++y)
    for (std::size_t x = 0; x < 40; ++x) mirrored += pixels.substr(3 * (y * 40 + 39 - x), 3);
  write_file(out("a.ppm"), "P6\n40 30\n255\n" + pixels);
  write_file(out("b.ppm"), "P6\n40 30\n255\n" + mirrored);
  const auto a = classify({vit, out("a.ppm")}), b = classify({vit, out("b.ppm")});
  const auto mean = classify({vit, out("a.ppm"), "--tta", "flip"});
  for (std::int64_t id = 0; id < 7; ++id)
    EXPECT_NEAR(probability(mean, id), (probability(a, id) + probability(b, id)) / 2, 1e-6);
  // Without a value it is the same, whatever follows; so is the form with "=".
  EXPECT_EQ(classify({vit, "--tta", out("a.ppm")})["predictions"], mean["predictions"]);
  EXPECT_EQ(classify({"--tta", vit, out("a.ppm")})["predictions"], mean["predictions"]);
  EXPECT_EQ(classify({vit, "--tta=flip", out("a.ppm")})["predictions"], mean["predictions"]);
  EXPECT_NE(classify({vit, "--tta", "all", out("a.ppm")})["predictions"], mean["predictions"]);
  const auto wrong = run_program({"classify", vit, out("a.ppm"), "--tta=flop"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("rotations"));
}

TEST_F(ClassifyOptions, EnsembleIsTheMeanOfModels) {
  const auto other = copy_case("vit_classifier", folder_) / "model";
  change_arrays(other / "model.safetensors", [](Arrays& arrays) { arrays.at("classifier.bias").floats()[2] += 2; });
  const auto a = classify({vit, picture}), b = classify({other.string(), picture});
  const auto mean = classify({"--ensemble", vit, other.string(), picture});
  const auto weighted = classify({vit, other.string(), picture, "--ensemble", "--weights", "0.7,0.3"});
  for (std::int64_t id = 0; id < 7; ++id) {
    EXPECT_NEAR(probability(mean, id), (probability(a, id) + probability(b, id)) / 2, 1e-6);
    EXPECT_NEAR(probability(weighted, id), 0.7 * probability(a, id) + 0.3 * probability(b, id), 1e-6);
  }
  // REQUIREMENTS R201: an ensemble of one is the model.
  EXPECT_EQ(classify({"--ensemble", vit, picture})["predictions"], a["predictions"]);
  EXPECT_EQ(classify({"--ensemble", "-m", vit, other.string(), picture})["predictions"], mean["predictions"]);
}

TEST_F(ClassifyOptions, EnsembleSaysWhatIsMissing) {
  EXPECT_THAT(run_program({"classify", "--ensemble", picture}).err, HasSubstr("found none"));
  EXPECT_THAT(run_program({"classify", "--ensemble", vit, mobilenet}).err, HasSubstr("no pictures are named"));
  EXPECT_EQ(run_program({"classify", vit, picture, "--weights", "1"}).exit_code, 2);
  EXPECT_EQ(run_program({"classify", "--ensemble", vit, picture, "--weights", "1,2"}).exit_code, 2);
  EXPECT_EQ(run_program({"classify", "--ensemble", vit, picture, "--weights", "-1"}).exit_code, 2);
  const auto differ = run_program({"classify", "--ensemble", vit, mobilenet, picture});
  EXPECT_EQ(differ.exit_code, 2);
  EXPECT_THAT(differ.err, HasSubstr("same classes"));
}

}  // namespace
}  // namespace nunchi::cli
