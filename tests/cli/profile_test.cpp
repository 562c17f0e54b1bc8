#include <gmock/gmock.h>

#include <regex>
#include <set>

#include "cli/pictures.h"

namespace nunchi::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

class Profile : public Pictures {
 protected:
  static ProgramRun profile(std::vector<std::string> words, const ProgramOptions& options = {}) {
    words.insert(words.begin(), {"profile", "--threads", "1", "--runs", "5", "--warm-ups", "2"});
    return run_program(words, options);
  }
  static Json profile_json(std::vector<std::string> words) {
    words.emplace_back("--json");
    const auto run = profile(words);
    EXPECT_EQ(run.exit_code, 0) << run.err;
    return parse_json(run.out, "profile");
  }
};

TEST_F(Profile, TheFlopsOfItsOperationsAreThoseOfInfo) {
  for (const auto& model : {vit, mobilenet, case_model("swin_classifier").string()}) {
    const auto flops = parse_json(run_program({"info", model, "--json"}).out, "info")["flops"].get<std::int64_t>();
    const auto size = parse_json(run_program({"info", model, "--json"}).out, "info")["input_shape"];
    for (const std::string precision : {"fp32", "bf16"}) {
      const auto json = profile_json({model, "--batch", "2", "--precision", precision});
      std::int64_t sum = 0;
      for (const auto& op : json["operations"]) sum += op["flops"].get<std::int64_t>();
      EXPECT_EQ(sum, json["flops"].get<std::int64_t>());
      ASSERT_EQ(json["pixels"], Json({2, size[0], size[1], size[2]})) << model;
      EXPECT_EQ(sum, 2 * flops) << model << " " << precision;
    }
  }
}

TEST_F(Profile, SharesSumToTheForward) {
  const auto json = profile_json({vit, picture});
  double share = json["between_share"], seconds = json["between_seconds"], last = 1;
  EXPECT_GT(share, 0);
  for (const auto& op : json["operations"]) {
    EXPECT_GE(op["seconds"].get<double>(), 0);
    EXPECT_LE(op["share"].get<double>(), last);
    last = op["share"];
    share += last;
    seconds += op["seconds"].get<double>();
  }
  EXPECT_NEAR(share, 1, 1e-9);
  EXPECT_NEAR(seconds, json["seconds"].get<double>(), 1e-9);
  EXPECT_EQ(json["runs"], Json(5));
  EXPECT_EQ(json["input"], picture);
  EXPECT_GT(json["unrecorded_seconds"].get<double>(), 0);
}

// A ViT of 3 blocks: of each, qkv, projection and two layers of the MLP.
TEST_F(Profile, NamesWhatAVisionTransformerDoes) {
  const auto json = profile_json({vit, picture});
  const auto config = read_json(fs::path(vit) / "config.json");
  const auto depth = config["num_hidden_layers"].get<int>(), dim = config["hidden_size"].get<int>();
  std::map<std::string, int> calls;
  for (const auto& op : json["operations"]) {
    calls[op["name"].get<std::string>()] += op["calls"].get<int>();
    if (op["name"] != "linear" || op["inputs"][1] != Json({3 * dim, dim})) continue;
    EXPECT_EQ(op["calls"], Json(depth));  // the qkv projection
    EXPECT_EQ(op["inputs"][0], Json({1, 37, dim}));
    EXPECT_EQ(op["flops"].get<int>(), depth * 2 * 37 * 3 * dim * dim);
    EXPECT_EQ(op["bytes"].get<int>(), depth * 4 * (37 * dim + 3 * dim * dim + 3 * dim + 37 * 3 * dim));
  }
  EXPECT_EQ(calls["attention"], depth);
  EXPECT_EQ(calls["layer_norm"], 2 * depth + 1);
  EXPECT_EQ(calls["linear"], 4 * depth + 2);  // and the patches, the classifier
}

TEST_F(Profile, TheTableSumsToAll) {
  const auto run = profile({vit, picture, "--top", "3"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  double share = 0;
  int lines = 0;
  for (const auto& line : lines_of(run.out)) {
    std::smatch found;
    if (!std::regex_search(line, found, std::regex("([0-9.]+) %"))) continue;
    ++lines;
    if (line.starts_with("forward"))
      EXPECT_EQ(found[1], "100.0");
    else
      share += std::stod(found[1]);
  }
  EXPECT_EQ(lines, 6);  // three operations, the rest, between them, the forward
  EXPECT_NEAR(share, 100, 0.5);
  EXPECT_THAT(run.out, AllOf(HasSubstr("the rest"), HasSubstr("between the operations"), HasSubstr("GFLOP/s"),
                             HasSubstr("memory: "), HasSubstr("5 forwards")));
}

TEST_F(Profile, TellsWhatEachLayerTakes) {
  const auto json = profile_json({vit, picture, "--layers"});
  std::map<std::string, double> seconds, own;
  double sum = json["outside_seconds"];
  for (const auto& layer : json["layers"]) {
    const auto name = layer["name"].get<std::string>();
    seconds[name] = layer["seconds"];
    sum += own[name] = layer["own_seconds"].get<double>();
    EXPECT_NEAR(layer["share"].get<double>(), seconds[name] / json["seconds"].get<double>(), 1e-9);
  }
  EXPECT_NEAR(sum, json["seconds"].get<double>(), 1e-9);  // every moment belongs to one layer
  const std::string block = "blocks.1", mlp = block + ".mlp.fc1";
  ASSERT_TRUE(seconds.contains(block) && seconds.contains(mlp)) << json["layers"];
  EXPECT_GT(seconds[block], seconds[mlp]);
  double inside = 0;
  for (const auto& [name, own_seconds] : own)
    if (name == block || name.starts_with(block + ".")) inside += own_seconds;
  EXPECT_NEAR(seconds[block], inside, 1e-9);

  const auto run = profile({vit, picture, "--layers"});
  EXPECT_THAT(run.out, AllOf(HasSubstr("blocks.*.mlp.fc1"), HasSubstr("in no layer"), Not(HasSubstr("blocks.1"))));
  EXPECT_EQ(profile({vit, picture, "--layers", "--trace", out("t.json")}).exit_code, 2);
}

TEST_F(Profile, ComparesOperationsWithThePeakOfTheirPrecision) {
  for (const std::string precision : {"fp32", "int8"}) {
    const auto json = profile_json({vit, picture, "--precision", precision});
    std::set<std::string> of_linear;
    for (const auto& op : json["operations"]) {
      if (op["name"] == "linear") of_linear.insert(op["precision"]);
      const bool works = op["flops"] > 0;
      EXPECT_TRUE(works || !op.contains("share_of_peak")) << op;
      if (op["precision"] != "fp32" || !works) continue;
      EXPECT_GT(op["share_of_peak"].get<double>(), 0) << op;
      EXPECT_LT(op["share_of_peak"].get<double>(), 1.5) << op;
    }
    EXPECT_TRUE(of_linear.contains(precision)) << json["operations"];
  }
}

TEST_F(Profile, TheTraceIsJsonWhoseSlicesNest) {
  const auto run = profile({vit, picture, "--json", "--trace", out("trace.json")});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.err, HasSubstr(out("trace.json")));
  const double median = 1e6 * parse_json(run.out, "profile")["median_seconds"].get<double>();
  const auto json = read_json(out("trace.json"));
  std::vector<std::pair<double, double>> open;  // begin and end of the slices around
  std::int64_t flops = 0;
  int aten = 0, counters = 0;
  for (const auto& event : json["traceEvents"]) {
    const auto phase = event["ph"].get<std::string>();
    if (phase == "C" && event["args"]["bytes"].get<std::int64_t>() > 0) ++counters;
    if (phase != "X") continue;
    const double begin = event["ts"], end = begin + event["dur"].get<double>(), rounding = 1e-6;
    while (!open.empty() && open.back().second <= begin + rounding) open.pop_back();
    if (open.empty()) {
      EXPECT_EQ(event["name"], "forward");
      EXPECT_LE(event["dur"].get<double>(), median + 0.01);  // the fastest one
    } else {
      EXPECT_GE(begin, open.back().first) << event;
      EXPECT_LE(end, open.back().second + rounding) << event;
    }
    open.emplace_back(begin, end);
    EXPECT_TRUE(event["args"].contains("inputs") && event["args"].contains("bytes_read"));
    flops += event["args"].value("flops", std::int64_t{0});
    if (event["cat"] == "aten") ++aten;
  }
  EXPECT_GT(aten, 10);
  EXPECT_GT(counters, 10);
  EXPECT_EQ(flops, parse_json(run_program({"info", vit, "--json"}).out, "info")["flops"].get<std::int64_t>());
}

TEST_F(Profile, ThePeakIsThatOfTheTensors) {
  const auto one = profile_json({vit, picture})["peak_memory"];
  const auto four = profile_json({vit, picture, "--batch", "4"})["peak_memory"];
  const auto config = read_json(fs::path(vit) / "config.json");
  const auto hidden = 37 * config["intermediate_size"].get<std::int64_t>() * 4;  // bytes of the MLP's hidden layer
  EXPECT_GE(one["bytes"].get<std::int64_t>(), hidden);
  EXPECT_LE(one["bytes"].get<std::int64_t>(), 20 * hidden);
  EXPECT_GT(four["bytes"].get<std::int64_t>(), 3 * one["bytes"].get<std::int64_t>());
  EXPECT_NE(one["op"], "");
}

TEST_F(Profile, DrawsTheMemory) {
  const auto run = profile({vit, picture, "--plot", out("m.svg"), "-q"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.err, "");
  EXPECT_THAT(read_file(out("m.svg"), 1 << 24), HasSubstr("<svg"));
  ASSERT_EQ(profile({vit, picture, "--plot", out("m.png")}).exit_code, 0);
  EXPECT_THAT(read_file(out("m.png"), 1 << 24), HasSubstr("PNG"));
}

TEST_F(Profile, ModelAndPictureMayBeLeftOut) {
  EXPECT_THAT(profile({}).out, AllOf(HasSubstr("nunchi-vit-cifar10"), HasSubstr("bundled photo")));
  EXPECT_THAT(profile({in("a.ppm")}).out, AllOf(HasSubstr("nunchi-vit-cifar10"), HasSubstr("a.ppm")));
  EXPECT_THAT(profile({"-m", vit}).out, AllOf(HasSubstr(vit), HasSubstr("bundled photo")));
  const auto model = copy_case("vit_classifier", folder_) / "model";
  fs::remove(model / "preprocessor_config.json");
  EXPECT_THAT(profile({model.string()}).out, HasSubstr("random pixels"));
}

TEST_F(Profile, WrongUseIsToldAndNothingIsLeft) {
  EXPECT_EQ(profile({vit, picture, picture}).exit_code, 2);
  EXPECT_EQ(profile({picture, picture}).exit_code, 2);
  EXPECT_EQ(profile({vit, "--runs", "0"}).exit_code, 2);
  EXPECT_EQ(profile({vit, "--plot", out("memory.gif")}).exit_code, 2);
  EXPECT_EQ(profile({"no/such/model", picture, "--trace", out("t.json")}).exit_code, 3);
  const auto no_picture = profile({vit, out("missing.png"), "--trace", out("t.json")});
  EXPECT_EQ(no_picture.exit_code, 1);
  EXPECT_THAT(no_picture.err, HasSubstr("missing.png"));
  const auto no_folder = profile({vit, picture, "--trace", out("nowhere/t.json")});
  EXPECT_EQ(no_folder.exit_code, 1);
  EXPECT_THAT(no_folder.err, HasSubstr("there is no folder"));
  EXPECT_EQ(no_folder.out, "");
  EXPECT_FALSE(fs::exists(out("t.json")));

  ProgramOptions full_disk;
  full_disk.largest_file = 1000;
  const auto full = profile({vit, picture, "--trace", out("t.json")}, full_disk);
  EXPECT_EQ(full.exit_code, 1);
  EXPECT_THAT(full.err, HasSubstr("t.json"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), {}), 1);  // the pictures
}

}  // namespace
}  // namespace nunchi::cli
