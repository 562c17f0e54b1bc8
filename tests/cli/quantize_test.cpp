#include <gmock/gmock.h>

#include "cli/pictures.h"

namespace nunchi::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
namespace fs = std::filesystem;

class Quantize : public Pictures {
 protected:
  ProgramRun quantize(std::vector<std::string> words) const {
    words.insert(words.begin(), "quantize");
    words.insert(words.end(), {"--threads", "1", "-o", out("int8")});
    return run_program(words);
  }
};

TEST_F(Quantize, WritesAModelThatEveryCommandRunsInInt8) {
  const auto run = quantize({vit, "--data", in(), "--max-drop", "100", "--plot", out("layers.svg")});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("agreement"), HasSubstr("mean cosine"), HasSubstr("layers in int8"),
                             HasSubstr("times as fast"), HasSubstr(out("int8") + ": written")));
  EXPECT_THAT(run.err, HasSubstr("4 pictures say little of accuracy"));
  EXPECT_THAT(read_file(out("layers.svg"), 1 << 20), HasSubstr("<svg"));

  const auto stored = run_program({"classify", out("int8"), picture, "--json"});
  EXPECT_EQ(stored.exit_code, 0) << stored.err;
  const auto asked = run_program({"classify", out("int8"), picture, "--json", "--precision", "int8"});
  const auto in_fp32 = run_program({"classify", out("int8"), picture, "--json", "--precision", "fp32"});
  EXPECT_EQ(stored.out, asked.out);
  EXPECT_NE(stored.out, in_fp32.out);
  const auto profile = run_program({"profile", out("int8"), picture, "--runs", "1", "--warm-ups", "1", "--json"});
  EXPECT_EQ(parse_json(profile.out, "profile")["precision"], "int8");
  EXPECT_EQ(run_program({"info", out("int8")}).exit_code, 0);
}

TEST_F(Quantize, TellsEveryLayerInJson) {
  const auto run = quantize({"-m", vit, "--data", in(), "--max-drop", "100", "--json", "--quiet"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.err, "");
  const auto json = parse_json(run.out, "quantize");
  EXPECT_EQ(json["judge"], "agreement");
  EXPECT_EQ(json["pictures"], 4);
  EXPECT_LT(json["int8"]["weight_bytes"].get<int>(), json["fp32"]["weight_bytes"].get<int>());
  for (const auto& layer : json["layers"]) {
    EXPECT_GE(layer["error"].get<double>(), -1e-6);
    EXPECT_EQ(layer["in_float"], false);
  }
}

TEST_F(Quantize, CountsTop1WhereTheLabelsAreTheModelsClasses) {
  const auto labels = parse_json(run_program({"info", vit, "--json"}).out, "info")["classes"].get<int>();
  for (int label = 0; label < labels; ++label) {
    fs::create_directories(fs::path(out("data")) / std::to_string(label));
    fs::copy_file(in("a.ppm"), fs::path(out("data")) / std::to_string(label) / "a.ppm");
  }
  const auto run = quantize({vit, "--data", out("data"), "--max-drop", "100", "--json"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  const auto json = parse_json(run.out, "quantize");
  EXPECT_EQ(json["judge"], "top-1");
  EXPECT_NEAR(json["fp32"]["score"].get<double>(), 100.0 / labels, 1e-9) << "one picture under every label";
  const auto eval = parse_json(run_program({"eval", vit, out("data"), "--json"}).out, "eval");
  EXPECT_NEAR(json["fp32"]["score"].get<double>(), 100 * eval["top1"]["value"].get<double>(), 1e-9) << eval.dump();
}

TEST_F(Quantize, KeepsTheBundledModelsAccuracy) {
  SKIP_WITHOUT_SHARED("cifar10-jpeg/cifar10_jpeg_all.zip");
  const auto dataset = shared_data("cifar10-jpeg/cifar10_jpeg_all.zip");
  const auto run = quantize({"--data", dataset.string(), "--limit", "1000", "--json"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto json = parse_json(run.out, "quantize");
  EXPECT_EQ(json["judge"], "top-1");
  EXPECT_GT(json["fp32"]["score"].get<double>(), 70);
  EXPECT_LE(json["drop"].get<double>(), 0.5);
  EXPECT_GT(json["int8"]["mean_cosine"].get<double>(), 99.9);
  EXPECT_LT(json["int8"]["weight_bytes"].get<double>(), 0.6 * json["fp32"]["weight_bytes"].get<double>());
  for (const auto& layer : json["layers"]) EXPECT_EQ(layer["in_float"], false) << layer;
  const auto eval = run_program({"eval", out("int8"), dataset.string(), "--limit", "1000", "--threads", "1", "--json"});
  EXPECT_NEAR(parse_json(eval.out, "eval")["top1"]["value"].get<double>() * 100, json["int8"]["score"].get<double>(),
              1e-9);
}

TEST_F(Quantize, SaysWhatIsWrong) {
  EXPECT_THAT(run_program({"quantize", vit, "-o", out("int8")}).err, HasSubstr("--data"));
  EXPECT_EQ(run_program({"quantize", vit, "--data", in()}).exit_code, 2);
  auto run = quantize({vit, "--data", out("nowhere")});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.err, HasSubstr(out("nowhere")));
  fs::create_directories(fs::path(out("int8")));
  write_file(out("int8") + "/kept.txt", "mine");
  run = quantize({vit, "--data", in()});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.err, HasSubstr(out("int8")));
  EXPECT_EQ(read_file(out("int8") + "/kept.txt", 1 << 20), "mine");
}

TEST_F(Quantize, RefusesWeightsOfAnotherQuantisation) {
  fs::copy(vit, out("model"));
  auto config = Json::parse(read_file(out("model") + "/config.json", 1 << 20));
  config["quantization_config"] = {{"quant_method", "bitsandbytes"}};
  write_file(out("model") + "/config.json", config.dump());
  const auto run = run_program({"classify", out("model"), picture});
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_THAT(run.err, AllOf(HasSubstr("quant_method"), HasSubstr("bitsandbytes"), HasSubstr(out("model"))));
}

TEST_F(Quantize, AutoIsWhatIsFastest) {
  const auto run = run_program({"classify", vit, picture, "--precision", "auto", "--json"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.err, AllOf(HasSubstr("--precision auto: "), HasSubstr("fp32 "), HasSubstr("bf16 ")));
  const auto chosen = run.err.substr(run.err.find("auto: ") + 6, 4);
  EXPECT_EQ(run.out, run_program({"classify", vit, picture, "--precision", chosen, "--json"}).out);
}

}  // namespace
}  // namespace nunchi::cli
