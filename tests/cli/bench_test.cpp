#include <gmock/gmock.h>

#include "cli/pictures.h"
#include "core/peak.h"

namespace nunchi::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

ProgramRun bench(std::vector<std::string> words) {
  words.insert(words.begin(), {"bench", "--threads", "1", "--seconds", "0.05"});
  return run_program(words);
}

void check_share_of_peak(const Json& peaks, const Json& m) {
  const double peak = peaks.at(m["precision"].get<std::string>()).get<double>();
  const bool is_known = m["precision"] == "fp32" || (peak > 0 && !has_matrix_unit(cpu_info()));
  ASSERT_EQ(m.contains("share_of_peak"), is_known) << m;
  if (!is_known) return;
  EXPECT_NEAR(m["share_of_peak"].get<double>() * peak, 1e9 * m["gflops"].get<double>(), 1e-6 * peak);
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
    check_share_of_peak(json["peak"], m);
  }
  EXPECT_THAT(cases, testing::ElementsAre(std::pair("fp32", 1), std::pair("fp32", 3), std::pair("bf16", 1),
                                          std::pair("bf16", 3), std::pair("int8", 1), std::pair("int8", 3)));
}

TEST(Bench, TheTableHasALineEach) {
  const auto run = bench({"-m", vit, "--batch", "1", "--precision", "fp32"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("parameters"), HasSubstr("pictures/s"), HasSubstr("of peak"),
                             HasSubstr("fp32          1"), testing::ContainsRegex(" [0-9]+ % ")));
  EXPECT_EQ(lines_of(run.out).size(), 4u);
}

TEST(Bench, TheBundledModelIsMeasuredWhereNoneIsNamed) {
  const auto run = bench({"--batch", "1", "--precision", "fp32"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("nunchi-vit-cifar10"));
}

TEST(Bench, ComparesSeveralModels) {
  const auto run = bench({"--compare", vit, mobilenet, "--batch", "1", "--precision", "fp32", "--json"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto json = parse_json(run.out, "bench");
  ASSERT_EQ(json["models"].size(), 2u);
  EXPECT_EQ(json["models"][0]["model"], Json(vit));
  EXPECT_EQ(json["models"][1]["model"], Json(mobilenet));
  EXPECT_NE(json["models"][0]["flops"], json["models"][1]["flops"]);
  for (const auto& model : json["models"]) {
    EXPECT_EQ(model["measurements"].size(), 1u);
    EXPECT_FALSE(model.contains("top1"));
  }
}

TEST(Bench, KnowsTheAccuracyOfTheBundledModel) {
  const auto run = bench({"--batch", "1", "--precision", "fp32", "--json"});
  const auto json = parse_json(run.out, "bench");
  const auto evaluation = read_json(NUNCHI_SOURCE_DIR "/assets/bundled/nunchi-vit-cifar10/evaluation.json");
  EXPECT_EQ(json["top1"], evaluation["top1"]);
}

TEST(Bench, DrawsWhatItMeasured) {
  const TemporaryFolder folder;
  const auto svg = (folder / "speed.svg").string(), png = (folder / "models.png").string();
  ASSERT_EQ(bench({vit, "--batch", "1,2", "--plot", svg}).exit_code, 0);
  EXPECT_THAT(read_file(svg, 1 << 24), HasSubstr("<svg"));
  ASSERT_EQ(bench({"--compare", vit, mobilenet, "--batch", "1", "--plot", png}).exit_code, 0);
  EXPECT_THAT(read_file(png, 1 << 24), testing::StartsWith("\x89PNG"));
  EXPECT_EQ(bench({vit, "--plot", (folder / "speed.jpg").string()}).exit_code, 2);
  const auto html = (folder / "speed.html").string();
  ASSERT_EQ(bench({"--compare", vit, mobilenet, "--batch", "1", "--plot", html}).exit_code, 0);
  const auto page = read_file(html, 1 << 22);
  for (const char* part : {"How fast it is", "vit_classifier", "mobilenet_v2", "GFLOP a picture", "fp32, 1"})
    EXPECT_THAT(page, testing::HasSubstr(part));
  ASSERT_EQ(bench({vit, "--batch", "1", "--plot", html, "--language", "ko"}).exit_code, 0);
  EXPECT_THAT(read_file(html, 1 << 22), testing::AllOf(HasSubstr("얼마나 빠른가"), HasSubstr("사진 한 장에")));
  EXPECT_EQ(bench({"--scaling", "--plot", html}).exit_code, 2);
  EXPECT_EQ(bench({vit, "--plot", (folder / "no/speed.svg").string()}).exit_code, 1);
}

// R062: what the page shows is what was measured.
TEST(Bench, ThePageHasTheNumbersThatAreTold) {
  const TemporaryFolder folder;
  const auto html = (folder / "speed.html").string();
  const auto run = bench({vit, "--batch", "1,3", "--precision", "fp32,bf16", "--plot", html, "--json"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto page = read_file(html, 1 << 22);
  for (const auto& m : parse_json(run.out, "bench")["measurements"]) {
    const auto rate = fmt::format("{:.1f}", m["pictures_per_second"].get<double>());
    EXPECT_THAT(page, testing::ContainsRegex(fmt::format("{}, {}<.*>{}<", m["precision"].get<std::string>(),
                                                         m["batch"].get<int>(), rate)));
  }
}

TEST(Bench, SuggestsABatchThatFits) {
  const auto one = parse_json(bench({vit, "--batch", "1", "--precision", "fp32", "--json"}).out, "bench");
  const auto of_one = one["measurements"][0]["peak_memory"].get<std::uint64_t>();
  const auto limit = of_one + 12'000'000;
  const auto run = bench({vit, "--suggest-batch", "--memory", std::to_string(limit) + "B", "--precision", "fp32",
                          "--max-batch", "4096", "--json"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto json = parse_json(run.out, "bench");
  EXPECT_EQ(json["limit"], Json(limit));
  const auto& found = json["suggestions"][0];
  EXPECT_GT(found["batch"].get<int>(), 1);
  EXPECT_LE(found["peak_memory"].get<std::uint64_t>(), limit);
  EXPECT_GT(found["pictures_per_second"].get<double>(), 0);
  EXPECT_GE(found["trials"].size(), 2u);
}

TEST(Bench, SaysWhatBoundsASuggestion) {
  const auto most = bench({vit, "--suggest-batch", "--max-batch", "3", "--precision", "fp32"});
  EXPECT_EQ(most.exit_code, 0) << most.err;
  EXPECT_THAT(most.out, AllOf(HasSubstr("fp32          3"), HasSubstr("--max-batch is 3"), HasSubstr("free now")));
  const auto none = bench({vit, "--suggest-batch", "--memory", "10MB", "--precision", "fp32"});
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_THAT(none.out, AllOf(HasSubstr("not even one picture fits: 1 takes "), HasSubstr("within 10.0 MB")));
}

TEST(Bench, WrongUseIsTold) {
  EXPECT_EQ(bench({"--compare", vit}).exit_code, 2);
  EXPECT_EQ(bench({vit, "--memory", "2GB"}).exit_code, 2);
  EXPECT_EQ(bench({vit, "--suggest-batch", "--memory", "much"}).exit_code, 2);
  EXPECT_EQ(bench({vit, "--suggest-batch", "--batch", "8"}).exit_code, 2);
  EXPECT_EQ(bench({"--compare", vit, "no/such/model"}).exit_code, 3);
  EXPECT_EQ(bench({vit, "--precision", "int3"}).exit_code, 2);
  EXPECT_EQ(bench({vit, "--batch", "0"}).exit_code, 2);
  EXPECT_EQ(bench({vit, picture}).exit_code, 2);
  EXPECT_EQ(bench({"no/such/model"}).exit_code, 3);
}

}  // namespace
}  // namespace nunchi::cli
