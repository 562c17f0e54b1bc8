#include "cli/pictures.h"

#include <gmock/gmock.h>

namespace nunchi::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::optional<std::string> bundled_name() {
  for (const auto& line : json_lines(run_program({"models", "--json"}).out))
    if (line.contains("bundled")) return line["bundled"].get<std::string>();
  return std::nullopt;
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
                              Not(HasSubstr("<script")), Not(HasSubstr("src=\"http"))));
  EXPECT_LT(run.seconds, 30);
}

TEST_F(Demo, ShowsPhotosOfTheUser) {
  const auto run = run_program({"demo", "--no-network", "--threads", "1", "-m", vit, "-o", out("report.html"), in()});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("고양이"), Not(HasSubstr("macaw"))));
  EXPECT_THAT(report(), AllOf(HasSubstr("b, &quot;c&quot;"), HasSubstr("고양이")));
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

// Whether this build bundles a model or not, a picture in the model's place is answered for what it is.
TEST_F(Demo, TheModelMayBeLeftOut) {
  const auto name = bundled_name();
  for (const std::vector<std::string>& call : {std::vector<std::string>{"classify", picture},
                                               {"embed", picture},
                                               {"similar", picture, picture},
                                               {"walk", picture},
                                               {"classify", in()}}) {
    const auto run = run_program(call);
    EXPECT_EQ(run.exit_code, name ? 0 : 2) << call[0] << run.err;
    if (!name) {
      EXPECT_THAT(run.err, HasSubstr("bundles none"));
    }
  }
  if (!name) GTEST_SKIP() << "this build bundles no model";
  EXPECT_EQ(run_program({"classify", *name, picture}).out, run_program({"classify", picture}).out);
  EXPECT_EQ(run_program({"info", *name}).exit_code, 0);
  EXPECT_EQ(run_program({"convert", *name, "--as", "hf", "-o", out("converted")}).exit_code, 0);
  EXPECT_EQ(run_program({"convert", *name, "--as", "safetensors", "-o", out("copied")}).exit_code, 0);
  EXPECT_EQ(run_program({"classify", out("copied"), picture}).out, run_program({"classify", picture}).out);
}

}  // namespace
}  // namespace nunchi::cli
