#include "cli/demo_model.h"
#include "cli/pictures.h"
#include "cli/terminal.h"
#include "remote/hub_server.h"

#include <gmock/gmock.h>

namespace nunchi::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string bundled_name() {
  for (const auto& line : json_lines(run_program({"models", "--json"}).out))
    if (line.contains("bundled")) return line["bundled"].get<std::string>();
  return "none is listed";
}

class Demo : public Pictures {
 protected:
  std::string report() const { return read_file(out("report.html"), 50 << 20); }
};

TEST_F(Demo, WritesOneFileThatNeedsNothingElse) {
  const auto run = run_program({"demo", "--no-network", "--threads", "1", "-m", vit, "-o", out("report.html")});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("macaw"), HasSubstr(out("report.html")), HasSubstr("nunchi classify")));
  EXPECT_EQ(run.err, "");
  EXPECT_THAT(report(), AllOf(HasSubstr("What is in the pictures"), HasSubstr("Which pictures are alike"),
                              HasSubstr("Where it looks"), HasSubstr("How long it takes"), HasSubstr("CC BY"),
                              HasSubstr("script-src 'sha256-"), Not(HasSubstr("src=\"http"))));
  EXPECT_LT(run.seconds, 30);
}

TEST_F(Demo, ShowsPhotosOfTheUser) {
  const auto run = run_program({"demo", "--no-network", "--threads", "1", "-m", vit, "-o", out("report.html"), in()});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("고양이"), Not(HasSubstr("macaw"))));
  EXPECT_THAT(report(), AllOf(HasSubstr("b, &quot;c&quot;"), HasSubstr("고양이")));
}

TEST_F(Demo, SpeaksKorean) {
  const auto run =
      run_program({"demo", "--no-network", "--threads", "1", "-m", vit, "-o", out("report.html"), "--language", "ko"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(report(), AllOf(HasSubstr("lang=\"ko\""), HasSubstr("사진에 무엇이 있는가"),
                              HasSubstr("사진 7장, 신경망 하나"), HasSubstr("어디를 보는가"), HasSubstr("방금")));
}

TEST_F(Demo, OnePhotoHasNothingToBeComparedWith) {
  const auto run =
      run_program({"demo", "--no-network", "--threads", "1", "-m", mobilenet, "-o", out("report.html"), in(names[0])});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(report(), Not(HasSubstr("Which pictures are alike")));
}

TEST_F(Demo, WhatCannotBeReadIsTold) {
  const auto run = run_program(
      {"demo", "--no-network", "--threads", "1", "-m", vit, "-o", out("report.html"), in("notes.txt"), in(names[0])});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.err, HasSubstr("notes.txt"));
  EXPECT_THAT(report(), HasSubstr("Left out"));
  EXPECT_EQ(run_program({"demo", "--no-network", "--threads", "1", "-m", vit, "-o", out("none.html"), in("notes.txt")})
                .exit_code,
            1);
  EXPECT_FALSE(std::filesystem::exists(out("none.html")));
}

TEST_F(Demo, APlaceThatCannotBeWrittenIsFoundFirst) {
  const auto run =
      run_program({"demo", "--no-network", "--threads", "1", "-m", vit, "-o", out("no/such/folder/report.html")});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.err, HasSubstr("there is no folder"));
}

TEST_F(Demo, YesAndNoNetworkExcludeEachOther) {
  EXPECT_EQ(run_program({"demo", "--yes", "--no-network"}).exit_code, 2);
}

// The public checkpoint stands on a hub of our own, as a small network of the same kind.
class DemoWithHub : public Demo {
 protected:
  DemoWithHub() {
    remote::HubServer::Files files;
    for (const auto& file : list_files(mobilenet)) files[file.filename()] = read_file(file, 1 << 26);
    hub_.publish(public_model, files);
  }
  ProgramOptions options() const {
    return {.environment = {{"HF_ENDPOINT", hub_.endpoint()},
                            {"HF_HOME", out("hf")},
                            {"HF_HUB_CACHE", ""},
                            {"HF_HUB_OFFLINE", "0"},
                            {"HF_TOKEN", ""},
                            {"no_proxy", "*"}}};
  }
  ProgramOptions on_a_terminal() const {
    auto options = this->options();
    options.stdin_path = options.stderr_path = terminal.path();
    return options;
  }
  std::vector<std::string> words(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {"demo", "--threads", "1", "-o", out("report.html")};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  bool pulled() const { return std::filesystem::exists(out("hf")); }

  Terminal terminal;

 private:
  remote::HubServer hub_;
};

TEST_F(DemoWithHub, YesPullsThePublicModelAndShowsIt) {
  const auto run = run_program(words({"--yes"}), options());
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr(public_model));
  EXPECT_THAT(report(), AllOf(HasSubstr(public_model), HasSubstr(bundled_name())));  // whose attention is shown
}

TEST_F(DemoWithHub, OnATerminalItAsks) {
  terminal.type("y\n");
  const auto run = run_program(words(), on_a_terminal());
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_THAT(terminal.seen(), HasSubstr("[y/N]"));
  EXPECT_THAT(run.out, HasSubstr(public_model));
}

TEST_F(DemoWithHub, NoAndNothingAreNo) {
  for (const std::string answer : {"n\n", "\n"}) {
    terminal.type(answer);
    const auto run = run_program(words(), on_a_terminal());
    EXPECT_EQ(run.exit_code, 0);
    EXPECT_THAT(run.out, HasSubstr(bundled_name()));
  }
  EXPECT_FALSE(pulled());
}

TEST_F(DemoWithHub, NothingIsAskedWhereNobodyAnswers) {
  const auto piped = run_program(words(), options());
  EXPECT_EQ(piped.exit_code, 0);
  EXPECT_EQ(piped.err, "");
  const auto quiet = run_program(words({"--quiet"}), on_a_terminal());
  EXPECT_EQ(quiet.exit_code, 0);
  EXPECT_EQ(terminal.seen(), "");
  EXPECT_FALSE(pulled());
}

TEST_F(DemoWithHub, WithoutTheHubTheBundledModelIsShown) {
  auto nowhere = options();
  nowhere.environment["HF_ENDPOINT"] = "http://127.0.0.1:9";
  const auto run = run_program(words({"--yes"}), nowhere);
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.err, HasSubstr("the bundled model is shown"));
  EXPECT_THAT(run.out, HasSubstr(bundled_name()));
}

TEST_F(Demo, TheBundledModelIsShownWhereNoneIsNamed) {
  const auto run = run_program({"demo", "--no-network", "--threads", "1", "-o", out("report.html")});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr(bundled_name()));
  EXPECT_THAT(report(), AllOf(HasSubstr(bundled_name()), HasSubstr("Where it looks")));
}

TEST_F(Demo, TheModelMayBeLeftOut) {
  const auto name = bundled_name();
  for (const std::vector<std::string>& call : {std::vector<std::string>{"classify", picture},
                                               {"embed", picture},
                                               {"similar", picture, picture},
                                               {"walk", picture},
                                               {"classify", in()}}) {
    const auto run = run_program(call);
    EXPECT_EQ(run.exit_code, 0) << call[0] << run.err;
  }
  EXPECT_EQ(run_program({"classify", name, picture}).out, run_program({"classify", picture}).out);
  EXPECT_EQ(run_program({"info", name}).exit_code, 0);
}

TEST_F(Demo, TheBundledModelIsConvertedLikeAnyOther) {
  const auto answer = run_program({"classify", picture}).out;
  ASSERT_THAT(answer, Not(HasSubstr("error")));
  for (const std::string layout : {"timm", "safetensors"}) {
    const auto run = run_program({"convert", bundled_name(), "--as", layout, "-o", out(layout)});
    ASSERT_EQ(run.exit_code, 0) << layout << run.err;
    EXPECT_EQ(run_program({"classify", out(layout), picture}).out, answer) << layout;
  }
}

// evaluation.json beside the weights says what they were measured to be.
TEST_F(Demo, TheBundledModelHasTheAccuracyOfItsCard) {
  SKIP_WITHOUT_SHARED("cifar10-jpeg/cifar10_jpeg_all.zip");
  const auto dataset = shared_data("cifar10-jpeg/cifar10_jpeg_all.zip");
  const auto card =
      read_json(std::filesystem::path(NUNCHI_SOURCE_DIR) / "assets/bundled" / bundled_name() / "evaluation.json");
  EXPECT_GE(card["top1"].get<double>(), 0.75);
  const auto run = run_program({"eval", bundled_name(), dataset, "--json"}, {.most_silent_seconds = 600});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto found = parse_json(run.out, "eval");
  EXPECT_EQ(found["top1"]["hits"], card["hits"]);
  EXPECT_EQ(found["top1"]["value"], card["top1"]);
  EXPECT_EQ(found["pictures"], card["pictures"]);
}

}  // namespace
}  // namespace nunchi::cli
