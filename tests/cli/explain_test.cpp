#include <gmock/gmock.h>

#include "cli/pictures.h"
#include "image/decode.h"

namespace nunchi::cli {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class Explain : public Pictures {
 protected:
  ProgramRun explain(std::vector<std::string> words) const {
    words.insert(words.begin(), {"explain", "--threads", "1", "-o", out("why")});
    return run_program(words);
  }
};

TEST_F(Explain, WritesAFigureForEachPictureAndOnePage) {
  const auto run = explain({vit, in(names[0]), in(names[1]), "--json"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto lines = json_lines(run.out);
  ASSERT_EQ(lines.size(), 2U);
  for (const char* method : {"attention", "rollout", "grad-rollout", "grad-cam", "hires-cam", "eigen-cam"}) {
    const auto& scores = lines[0].at("methods").at(method);
    EXPECT_GE(scores.at("deletion").get<double>(), 0);
    EXPECT_LE(scores.at("insertion").get<double>(), 1);
    EXPECT_GE(scores.at("random_weights").get<double>(), -1);
  }
  EXPECT_THAT(read_file(out("why/explain.html"), 50 << 20),
              AllOf(HasSubstr("What the class token reads"), HasSubstr("Deletion"), Not(HasSubstr("src=\"http"))));
  for (std::size_t i = 0; i < 2; ++i) {
    const auto figure = (std::filesystem::path(out("why")) / std::filesystem::path(names[i]).stem()).string() + ".png";
    EXPECT_TRUE(std::filesystem::exists(figure)) << figure;
  }
}

TEST_F(Explain, TheBareNumbersAreWrittenWhereAsked) {
  const auto run = explain({vit, picture, "--method", "attention,grad-cam,integrated-gradients,occlusion", "--class",
                            "3", "--samples", "8", "--no-scores", "--maps"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto arrays = read_arrays(out("why/input.maps.safetensors"));
  EXPECT_EQ(arrays.at("attention").shape, (std::vector<std::int64_t>{3, 4, 37, 37}));
  EXPECT_EQ(arrays.at("grad-cam").shape, (std::vector<std::int64_t>{6, 6}));
  EXPECT_EQ(arrays.at("integrated-gradients").shape, (std::vector<std::int64_t>{3, 48, 48}));
  EXPECT_EQ(arrays.at("occlusion").shape, (std::vector<std::int64_t>{48, 48}));
  EXPECT_THAT(run.out, Not(HasSubstr("deletion")));
}

TEST_F(Explain, AClassIsNamedOrNumberedAndComparedWithAnother) {
  const auto run = explain({mobilenet, picture, "--method", "grad-cam", "--class", "2", "--class", "4", "--versus", "1",
                            "--json", "--no-scores"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto lines = json_lines(run.out);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].at("class"), 2);
  EXPECT_EQ(lines[1].at("class"), 4);
  EXPECT_EQ(lines[1].at("file"), picture);
  EXPECT_FALSE(lines[1].at("instead_of").get<std::string>().empty());
  EXPECT_THAT(read_file(out("why/explain.html"), 50 << 20), HasSubstr(" rather than "));
  const auto itself = explain({mobilenet, picture, "--class", "2", "--versus", "2"});
  EXPECT_EQ(itself.exit_code, 2);
  EXPECT_THAT(itself.err, AllOf(HasSubstr("--versus"), HasSubstr("name another class")));
}

TEST_F(Explain, PicturesAreSeenAtAnotherSize) {
  const auto run =
      explain({vit, picture, "--method", "attention,grad-cam", "--size", "96x64", "--no-scores", "--maps"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(read_arrays(out("why/input.maps.safetensors")).at("grad-cam").shape, (std::vector<std::int64_t>{12, 8}));
  EXPECT_THAT(read_file(out("why/explain.html"), 50 << 20), HasSubstr("96 x 64 pixels"));
}

TEST_F(Explain, BoxesThatAreNotThereAreTold) {
  const auto absent = explain({vit, picture, "--method", "attention", "--boxes", out("absent")});
  EXPECT_EQ(absent.exit_code, 2);
  EXPECT_THAT(absent.err, AllOf(HasSubstr("--boxes"), HasSubstr("expected a folder")));
  std::filesystem::create_directories(out("empty"));
  const auto none = explain({vit, picture, "--method", "attention", "--boxes", out("empty")});
  EXPECT_EQ(none.exit_code, 0);
  EXPECT_THAT(none.err, AllOf(HasSubstr("--boxes"), HasSubstr(".txt or .xml")));
}

TEST_F(Explain, WrongUseIsToldWhatToDo) {
  const auto layer = explain({mobilenet, picture, "--method", "grad-cam", "--layer", "layer.33"});
  EXPECT_EQ(layer.exit_code, 2);
  EXPECT_THAT(layer.err, HasSubstr("the nearest is layer."));
  const auto id = explain({mobilenet, picture, "--class", "4711"});
  EXPECT_EQ(id.exit_code, 2);
  EXPECT_THAT(id.err, AllOf(HasSubstr("4711"), HasSubstr("numbers are 0 to"), Not(HasSubstr("nearest"))));
  const auto method = explain({mobilenet, picture, "--method", "rollout"});
  EXPECT_EQ(method.exit_code, 2);
  EXPECT_THAT(method.err, AllOf(HasSubstr("--method rollout"), HasSubstr("use grad-cam")));
  const auto unknown = explain({mobilenet, picture, "--method", "gradcam"});
  EXPECT_THAT(unknown.err, HasSubstr("the nearest is grad-cam"));
  EXPECT_EQ(explain({mobilenet, picture, "--class", "2", "--top", "3"}).exit_code, 2)
      << "one of the two would be ignored";
  const auto file = run_program({"explain", mobilenet, picture, "-o", out("why.png")});
  EXPECT_EQ(file.exit_code, 2);
  EXPECT_THAT(file.err, AllOf(HasSubstr("expected a folder"), HasSubstr("without .png")));
  EXPECT_FALSE(std::filesystem::exists(out("why.png")));
  EXPECT_FALSE(std::filesystem::exists(out("why/explain.html")));
}

TEST_F(Explain, WhatCannotBeReadIsToldAndTheRestDone) {
  const auto run = explain({mobilenet, in("notes.txt"), in(names[0]), "--method", "eigen-cam", "--no-scores"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.err, HasSubstr("notes.txt"));
  EXPECT_TRUE(std::filesystem::exists(out("why/explain.html")));
}

TEST_F(Explain, CountsHitsOfBoxes) {
  std::filesystem::create_directory(out("boxes"));
  write_file(out("boxes/input.txt"), "0 0.5 0.5 1 1\n");
  const auto run = explain({mobilenet, picture, "--method", "grad-cam", "--boxes", out("boxes"), "--json"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(json_lines(run.out)[0].at("methods").at("grad-cam").at("hit"), true) << "the whole picture is a box";
  EXPECT_THAT(run.err, HasSubstr("1 of 1 picture; by chance it would in 1.0"));
  write_file(out("boxes/input.txt"), "a cat\n");
  const auto broken = explain({mobilenet, picture, "--method", "eigen-cam", "--boxes", out("boxes"), "--json"});
  EXPECT_EQ(broken.exit_code, 1);
  EXPECT_THAT(broken.err, HasSubstr("CLASS X Y WIDTH HEIGHT"));
  EXPECT_EQ(json_lines(broken.out).size(), 1U) << "it costs the picture its boxes, not its maps";
}

TEST_F(Explain, FiguresOfOneMethodAndOfSeveralClasses) {
  const auto shape_of = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {mobilenet, picture, "--no-scores"});
    EXPECT_EQ(explain(words).exit_code, 0);
    const auto figure = image::read_picture(out("why/input.png"));
    return std::array{figure.width, figure.height};
  };
  const auto one = shape_of({"--method", "eigen-cam"});
  const auto two = shape_of({"--method", "eigen-cam,grad-cam"});
  EXPECT_EQ(one[0], two[0]) << "picture, map and overlay, or picture and two overlays";
  const auto classes = shape_of({"--method", "eigen-cam,grad-cam", "--class", "1", "--class", "2"});
  EXPECT_LT(classes[0], two[0]) << "two columns";
  EXPECT_GT(classes[1], 2 * two[1]) << "three rows: pictures and a method each";
  shape_of({"--method", "eigen-cam", "--dark"});
  EXPECT_LT(image::read_picture(out("why/input.png")).pixels[0], 40);
}

TEST_F(Explain, WhatNoMethodUsesIsRefused) {
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"--head", "1"}, {"--discard", "0.5"}, {"--samples", "9"}}) {
    auto arguments = std::vector<std::string>{vit, picture, "--method", "grad-cam"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    const auto run = explain(arguments);
    EXPECT_EQ(run.exit_code, 2) << words.front();
    EXPECT_THAT(run.err, AllOf(HasSubstr(words.front()), HasSubstr("--method"))) << words.front();
  }
}

}  // namespace
}  // namespace nunchi::cli
