#include <gmock/gmock.h>

#include "cli/pictures.h"

namespace nunchi::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

ProgramRun bench(std::vector<std::string> words) {
  words.insert(words.begin(), {"bench", "--threads", "1", "--seconds", "0.05"});
  return run_program(words);
}

TEST(Bench, MeasuresEveryPrecisionAndBatch) {
  const auto run = bench({vit, "--batch", "1,3", "--json"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto json = parse_json(run.out, "bench");
  const auto info = parse_json(run_program({"info", vit, "--json"}).out, "info");
  EXPECT_EQ(json["parameters"], info["parameters"]);
  EXPECT_EQ(json["flops"], info["flops"]);
  EXPECT_EQ(json["threads"], Json(1));
  std::vector<std::pair<std::string, int>> cases;
  for (const auto& m : json["measurements"]) {
    cases.emplace_back(m["precision"].get<std::string>(), m["batch"].get<int>());
    EXPECT_GE(m["calls"].get<int>(), 10);
    EXPECT_GT(m["least_seconds"].get<double>(), 0);
    EXPECT_LE(m["least_seconds"], m["median_seconds"]);
    EXPECT_LE(m["median_seconds"], m["p95_seconds"]);
    EXPECT_LE(m["p95_seconds"], m["p99_seconds"]);
    EXPECT_NEAR(m["pictures_per_second"].get<double>() * m["median_seconds"].get<double>(), m["batch"].get<double>(),
                1e-9);
    EXPECT_GT(m["peak_memory"].get<double>(), 1e7);
    EXPECT_GT(m["first_seconds"].get<double>(), 0);
  }
  EXPECT_THAT(cases, testing::ElementsAre(std::pair("fp32", 1), std::pair("fp32", 3), std::pair("bf16", 1),
                                          std::pair("bf16", 3)));
}

TEST(Bench, TheTableHasALineEach) {
  const auto run = bench({"-m", vit, "--batch", "1", "--precision", "fp32"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("parameters"), HasSubstr("pictures/s"), HasSubstr("fp32          1")));
  EXPECT_EQ(lines_of(run.out).size(), 4u);
}

TEST(Bench, TheBundledModelIsMeasuredWhereNoneIsNamed) {
  const auto run = bench({"--batch", "1", "--precision", "fp32"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("nunchi-vit-cifar10"));
}

TEST(Bench, WrongUseIsTold) {
  EXPECT_EQ(bench({vit, "--precision", "int3"}).exit_code, 2);
  EXPECT_EQ(bench({vit, "--batch", "0"}).exit_code, 2);
  EXPECT_EQ(bench({vit, picture}).exit_code, 2);
  EXPECT_EQ(bench({"no/such/model"}).exit_code, 3);
}

}  // namespace
}  // namespace nunchi::cli
