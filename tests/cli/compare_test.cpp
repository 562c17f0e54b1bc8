#include <gmock/gmock.h>

#include "cli/pictures.h"

namespace nunchi::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

using Compare = Pictures;

TEST_F(Compare, PutsModelsSideBySide) {
  const auto run = run_program({"compare", vit, mobilenet, in()});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.err, "");
  EXPECT_THAT(run.out, AllOf(HasSubstr(vit + " (vit)"), HasSubstr(mobilenet + " (mobilenet_v2)"),
                             HasSubstr("parameters"), HasSubstr("A and B agree on "), HasSubstr(" of 4 pictures")));
  for (const auto& name : names) EXPECT_THAT(run.out, HasSubstr(in(name) + "\n  A ")) << run.out;
}

TEST_F(Compare, GivesTheNumbersOfTheModelsThemselves) {
  const auto json = Json::parse(run_program({"compare", "-m", vit, vit, in(), "--json"}).out);
  EXPECT_EQ(json["partial"], false);
  ASSERT_EQ(json["models"].size(), 2u);
  const auto info = Json::parse(run_program({"info", vit, "--json"}).out);
  const auto answers = json_lines(run_program({"classify", vit, in(), "--json"}).out);
  for (const auto& model : json["models"]) {
    EXPECT_EQ(model["parameters"], info["parameters"]);
    EXPECT_EQ(model["weight_bytes"], info["weight_bytes"]);
    EXPECT_GE(model["measurements"].get<int>(), 10);
    EXPECT_GT(model["least_seconds"].get<double>(), 0);
    EXPECT_GE(model["median_seconds"].get<double>(), model["least_seconds"].get<double>());
    EXPECT_GT(model["peak_memory"].get<double>(), json["memory_without_model"].get<double>());
  }
  ASSERT_EQ(json["pictures"].size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(json["pictures"][i]["file"], answers[i]["file"]);
    EXPECT_EQ(json["pictures"][i]["answers"][0]["id"], answers[i]["predictions"][0]["id"]);
    EXPECT_EQ(json["pictures"][i]["answers"][0], json["pictures"][i]["answers"][1]);
  }
  EXPECT_EQ(json["agreement"][0]["same"], 4);
  EXPECT_EQ(json["agreement"][0]["of"], 4);
}

TEST_F(Compare, GoesOnWhereAModelOrAPictureFails) {
  const auto damaged = copy_case("vit_classifier", folder_) / "model";
  fs::resize_file(damaged / "model.safetensors", 100);
  const auto run = run_program({"compare", damaged.string(), vit, in("a.ppm")});
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_THAT(run.out, AllOf(HasSubstr("could not be loaded"), HasSubstr("B ")));
  EXPECT_THAT(run.err, HasSubstr(damaged.string()));
  write_file(in("broken.ppm"), "P6\n");
  const auto broken = run_program({"compare", vit, mobilenet, in()});
  EXPECT_EQ(broken.exit_code, 1);
  EXPECT_THAT(broken.out, HasSubstr("could not be read"));
  EXPECT_EQ(lines_of(broken.err).size(), 1u) << broken.err;  // told once, not once a model
}

TEST_F(Compare, TakesBackbonesForTheirCost) {
  const auto run = run_program({"compare", case_model("vit_pooler").string(), vit, in("a.ppm")});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("no classifier"), Not(HasSubstr("agree"))));
}

TEST_F(Compare, TellsModelsFromInputs) {
  EXPECT_THAT(run_program({"compare", in()}).err, HasSubstr("expected models before the pictures"));
  EXPECT_THAT(run_program({"compare", vit, mobilenet}).err, HasSubstr("no pictures are named"));
  const auto late = run_program({"compare", vit, in("a.ppm"), mobilenet});  // a model behind a picture is an input
  EXPECT_EQ(late.exit_code, 1);
  EXPECT_THAT(late.err, HasSubstr("no pictures in this folder"));
  const auto missing = run_program({"compare", vit, in("absent.jpg")});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.err, HasSubstr("absent.jpg"));
}

}  // namespace
}  // namespace nunchi::cli
