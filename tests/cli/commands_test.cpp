#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include <cmath>

#include "cli/pictures.h"
#include "formats/npy.h"
#include "image/decode.h"

namespace nunchi::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

using Commands = Pictures;

// --- embed

TEST_F(Commands, EmbedWritesTheSameNumbersInEveryFormat) {
  const auto lines = json_lines(run_program({"embed", vit, in()}).out);
  ASSERT_EQ(lines.size(), names.size());
  for (const auto* kind : {".npy", ".safetensors", ".jsonl"}) {
    const auto run = run_program({"embed", vit, in(), "-o", out(std::string("e") + kind)});
    EXPECT_EQ(run.exit_code, 0) << run.err;
    EXPECT_EQ(run.out, "");
  }
  const auto npy = formats::read_npy(out("e.npy"));
  EXPECT_THAT(npy.shape, ElementsAre(4, 36));
  EXPECT_EQ(npy.bytes, read_arrays(out("e.safetensors")).at("embeddings").bytes);
  const auto* values = reinterpret_cast<const float*>(npy.bytes.data());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i]["file"], in(names[i]));
    for (std::size_t k = 0; k < 36; ++k) EXPECT_FLOAT_EQ(lines[i]["embedding"][k].get<float>(), values[36 * i + k]);
  }
  EXPECT_EQ(json_lines(read_file(out("e.jsonl"), 1 << 20)), lines);
  const auto files = read_json(out("e.npy.files.json"));
  EXPECT_EQ(files, Json::parse(formats::SafetensorsFile::open(out("e.safetensors")).metadata().at("files")));
  EXPECT_EQ(files[3], in(names[3]));
}

TEST_F(Commands, EmbedPools) {
  const auto shape = [&](const std::string& model, const std::string& pool) {
    const auto run = run_program({"embed", model, in("a.ppm"), "--pool", pool, "-q", "-o", out("e.npy")});
    EXPECT_EQ(run.exit_code, 0);
    EXPECT_EQ(run.err, "");
    return formats::read_npy(out("e.npy")).shape;
  };
  EXPECT_THAT(shape(vit, "cls"), ElementsAre(1, 36));
  EXPECT_THAT(shape(vit, "mean"), ElementsAre(1, 36));
  EXPECT_THAT(shape(vit, "grid"), ElementsAre(1, 6, 6, 36));
  EXPECT_THAT(shape(mobilenet, "grid").size(), 4u);
}

TEST_F(Commands, GridsOfDifferentSizesDoNotGoIntoOneArray) {
  const auto model = case_model("dinov2_non_square").string();  // keeps the shape of the picture
  write_ppm(in("wide.ppm"), 90, 30);
  const auto run = run_program({"embed", model, in("a.ppm"), in("wide.ppm"), "--pool", "grid", "-o", out("e.npy")});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.err, AllOf(HasSubstr("--pool grid"), HasSubstr("one size"), HasSubstr(".jsonl")));
  EXPECT_FALSE(fs::exists(out("e.npy")));
  EXPECT_EQ(
      run_program({"embed", model, in("a.ppm"), in("wide.ppm"), "--pool", "grid", "-o", out("e.jsonl")}).exit_code, 0);
  EXPECT_EQ(run_program({"embed", model, in("a.ppm"), in("wide.ppm"), "-o", out("e.npy")}).exit_code, 0);
}

TEST_F(Commands, Bf16IsNearFp32) {
  const auto fine = json_lines(run_program({"embed", vit, picture}).out)[0]["embedding"];
  const auto coarse = json_lines(run_program({"embed", vit, picture, "--precision", "bf16"}).out)[0]["embedding"];
  EXPECT_NE(fine, coarse);
  for (std::size_t i = 0; i < fine.size(); ++i) EXPECT_NEAR(fine[i].get<double>(), coarse[i].get<double>(), 0.1);
}

TEST_F(Commands, SeveralPoolingsAtOnce) {
  const std::vector<std::string> words = {"embed", vit, picture, "--pool", "cls,mean,grid"};
  const auto line = json_lines(run_program(words).out).front();
  EXPECT_EQ(line["cls"].size(), 36u);
  EXPECT_EQ(line["mean"].size(), 36u);
  EXPECT_EQ(line["grid"][0][0].size(), 36u);
  auto to_file = words;
  to_file.insert(to_file.end(), {"-o", out("all.safetensors")});
  const auto run = run_program(to_file);
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.err, AllOf(HasSubstr("cls written, [1, 36]"), HasSubstr("grid written, [1, 6, 6, 36]")));
  EXPECT_EQ(read_arrays(out("all.safetensors")).at("mean").shape, (std::vector<std::int64_t>{1, 36}));
  to_file.back() = out("all.npy");
  EXPECT_EQ(run_program(to_file).exit_code, 2);
}

TEST_F(Commands, EmbedSeesAtAnotherSize) {
  const auto grid = [](const std::string& size) {
    return json_lines(run_program({"embed", vit, picture, "--pool", "grid", "--size", size}).out)[0]["embedding"];
  };
  EXPECT_EQ(grid("48x48").size(), 6u);
  EXPECT_EQ(grid("80x64").size(), 10u);
  EXPECT_EQ(grid("80x64")[0].size(), 8u);
}

// --- similar

TEST_F(Commands, SimilarIsTheCosineOfTheEmbeddings) {
  write_file(in("copy of a.ppm"), read_file(in("a.ppm"), 1 << 20));
  const auto run = run_program({"similar", vit, in("a.ppm"), in("copy of a.ppm"), in(names[3]), "--json"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  const auto json = Json::parse(run.out);
  const auto& cosine = json["cosine"];
  ASSERT_EQ(cosine.size(), 3u);
  EXPECT_NEAR(cosine[0][1].get<double>(), 1, 1e-6);
  EXPECT_EQ(cosine[0][2], cosine[2][0]);
  const auto rows = json_lines(run_program({"embed", vit, in("a.ppm"), in(names[3])}).out);
  double dot = 0, first = 0, second = 0;
  for (std::size_t k = 0; k < 36; ++k) {
    const double a = rows[0]["embedding"][k], b = rows[1]["embedding"][k];
    dot += a * b, first += a * a, second += b * b;
  }
  EXPECT_NEAR(cosine[0][2].get<double>(), dot / std::sqrt(first * second), 1e-5);
  const auto table = lines_of(run_program({"similar", vit, in("a.ppm"), in("copy of a.ppm")}).out);
  ASSERT_EQ(table.size(), 3u);
  EXPECT_THAT(table[2], AllOf(HasSubstr("2  " + in("copy of a.ppm")), HasSubstr("1.000")));
}

TEST_F(Commands, SimilarNeedsTwo) {
  const auto run = run_program({"similar", vit, picture});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.err, HasSubstr("two pictures"));
}

class Search : public Commands {
 protected:
  // Two folders as classes; the copies of a picture are in one of them.
  Search() {
    for (const char* name : {"cats/1.ppm", "cats/2.ppm", "dogs/1.ppm", "dogs/2.ppm", "dogs/3.ppm"}) {
      std::filesystem::create_directories(std::filesystem::path(out(name)).parent_path());
      const bool cat = name[0] == 'c';
      write_ppm(out(name), cat ? 40 : 30, 30, cat ? 0 : name[5] - '0' + 3);
    }
  }
};

TEST_F(Search, FindsTheNearestOfAFolderButNotThePictureItself) {
  const auto run = run_program({"similar", vit, out("cats/1.ppm"), "--among", out("cats"), "--json"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto line = json_lines(run.out).front();
  ASSERT_EQ(line["nearest"].size(), 1u);
  EXPECT_EQ(line["nearest"][0]["file"], out("cats/2.ppm"));
  EXPECT_NEAR(line["nearest"][0]["cosine"].get<double>(), 1, 1e-5);
  const auto table = lines_of(run_program({"similar", vit, out("dogs/1.ppm"), "--among", out("cats")}).out);
  ASSERT_EQ(table.size(), 3u);
  EXPECT_EQ(table[0], out("dogs/1.ppm"));
}

TEST_F(Search, FoldersAreClasses) {
  const auto run = run_program({"similar", vit, out("cats"), "--among", out(""), "-r", "--k", "1", "--json"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto lines = json_lines(run.out);
  ASSERT_EQ(lines.size(), 3u);
  const auto& retrieval = lines.back().at("retrieval");
  EXPECT_EQ(retrieval["queries"], 2);
  EXPECT_DOUBLE_EQ(retrieval["precision_at_1"].get<double>(), 1);
  EXPECT_DOUBLE_EQ(retrieval["mean_average_precision"].get<double>(), 1);
}

TEST_F(Search, IsDrawn) {
  const auto run =
      run_program({"similar", vit, out("cats"), "--among", out("dogs"), "--k", "2", "-o", out("found.png"), "--dark"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("dogs/")) << "the table is printed, too";
  const auto drawn = image::read_picture(out("found.png"));
  EXPECT_GT(drawn.width, 600);
  EXPECT_LT(drawn.pixels[0], 40) << "dark paper";
  EXPECT_EQ(run_program({"similar", vit, picture, "--k", "2"}).exit_code, 2) << "--k without --among";
}

// --- forward, parity

TEST_F(Commands, ForwardWritesWhatThePeerComputed) {
  for (const auto* name : {"vit_classifier", "deit_distilled", "mobilenet_v2", "vit_size_wide"}) {
    const auto json = read_json(case_folder(name) / "case.json");
    std::vector<std::string> arguments = {"forward", case_model(name).string(),
                                          "--image", (case_folder(name) / json["input"].get<std::string>()).string(),
                                          "--out",   out("x.safetensors")};
    if (!json["size"].is_null()) {
      arguments.insert(arguments.end(),
                       {"--size", fmt::format("{}x{}", json["size"][0].get<int>(), json["size"][1].get<int>())});
    }
    const auto run = run_program(arguments);
    ASSERT_EQ(run.exit_code, 0) << run.err;
    EXPECT_EQ(run.out, "");
    auto found = read_arrays(out("x.safetensors")), expected = read_arrays(case_folder(name) / "expected.safetensors");
    EXPECT_EQ(found.at("pixel_values").bytes, expected.at("pixel_values").bytes) << name;
    for (auto& [output, array] : expected) {
      ASSERT_TRUE(found.contains(output)) << name << " " << output;
      ASSERT_EQ(found.at(output).shape, array.shape) << name << " " << output;
      float largest = 0, difference = 0;
      for (std::size_t i = 0; i < array.count(); ++i) {
        largest = std::max(largest, std::abs(array.floats()[i]));
        difference = std::max(difference, std::abs(array.floats()[i] - found.at(output).floats()[i]));
      }
      EXPECT_LE(difference, 1e-4f * largest + 1e-7f) << name << " " << output;
    }
  }
}

TEST_F(Commands, ParityPrintsATableAndFails) {
  const auto good = case_folder("vit_classifier").string();
  const auto run = run_program({"parity", good});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("vit_classifier  (transformers 5.23.0)"), HasSubstr("ok   pixel_values"),
                             HasSubstr("logits")));
  EXPECT_THAT(run.err, HasSubstr("1 of 1 cases agree"));

  const auto bad = copy_case("vit_classifier", folder_);
  change_arrays(bad / "model/model.safetensors",
                [](Arrays& arrays) { arrays.at("classifier.bias").floats()[0] += 0.5f; });
  const auto failed = run_program({"parity", bad.string(), good, in()});
  EXPECT_EQ(failed.exit_code, 1);
  const auto both = run_program({"parity", bad.string(), good});
  EXPECT_EQ(both.exit_code, 1);
  EXPECT_THAT(both.out, AllOf(HasSubstr("FAIL logits"), HasSubstr("first stage that fails: logits")));
  EXPECT_THAT(both.err, HasSubstr("1 of 2 cases agree"));
  const auto lines = json_lines(run_program({"parity", bad.string(), good, "--json"}).out);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0]["passed"], false);
  EXPECT_EQ(lines[1]["passed"], true);
}

TEST_F(Commands, ParityTakesAFolderOfCases) {
  for (const auto* name : {"vit_relu", "dinov2"}) copy_case(name, folder_);
  const auto run = run_program({"parity", folder_.path().string(), "--json"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  const auto lines = json_lines(run.out);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0]["case"], "dinov2");
}

TEST_F(Commands, ABrokenCaseDoesNotKeepTheOthersFromRunning) {
  const auto broken = copy_case("dinov2", folder_);
  fs::remove(broken / "expected.safetensors");
  const auto run = run_program({"parity", broken.string(), case_folder("vit_relu").string()});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.out, HasSubstr("vit_relu"));
  EXPECT_THAT(run.err, AllOf(HasSubstr("expected.safetensors"), HasSubstr("1 of 2 cases agree")));
}

// --- info, walk, models, doctor

TEST_F(Commands, InfoDescribesAModel) {
  const auto run = run_program({"info", vit});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_THAT(run.out, AllOf(HasSubstr("vit (ViTForImageClassification)"), HasSubstr("parameters"),
                             HasSubstr("[3, 48, 48]"), HasSubstr("transform")));
  const auto json = Json::parse(run_program({"info", "--json", "-m", vit}).out);
  EXPECT_EQ(json["model_type"], "vit");
  EXPECT_EQ(json["classes"], 7);
  EXPECT_EQ(json["flops"].get<std::int64_t>(), 2 * json["macs"].get<std::int64_t>());
}

// REQUIREMENTS R019: what is printed about shapes is what was computed.
TEST_F(Commands, WalkPrintsTheShapesThatForwardWrites) {
  for (const auto* name : {"vit_classifier", "dinov2_registers", "mobilenet_v2"}) {
    const auto input = (case_folder(name) / "input.png").string();
    const auto walk = run_program({"walk", case_model(name).string(), input});
    ASSERT_EQ(walk.exit_code, 0) << walk.err;
    ASSERT_EQ(
        run_program({"forward", case_model(name).string(), "--image", input, "--out", out("x.safetensors")}).exit_code,
        0);
    const bool convolutional = std::string(name).starts_with("mobilenet");
    std::size_t compared = 0;
    for (const auto& [output, array] : read_arrays(out("x.safetensors"))) {
      std::string label = output == "attentions_last" ? "attention, each block" : output;
      if (output.starts_with("hidden_state_")) {
        const int index = std::stoi(output.substr(13));
        const bool embeds = !convolutional && index == 0;
        label = embeds ? "embeddings" : fmt::format("block {}", convolutional ? index : index - 1);
      }
      const std::string shape = fmt::format("  {:<22}[{}]\n", label, fmt::join(array.shape, ", "));
      EXPECT_THAT(walk.out, HasSubstr(shape)) << name << " " << output;
      ++compared;
    }
    EXPECT_GE(compared, 6u);
  }
}

TEST_F(Commands, ModelsListsFamiliesAndTheCheckpointsOfAPattern) {
  const auto run = run_program({"models"});
  EXPECT_EQ(run.exit_code, 0);
  for (const auto* name : {"vit", "deit", "dinov2_with_registers", "mobilenet_v2", "SwinTransformerV2", "DINOv2"})
    EXPECT_THAT(run.out, HasSubstr(name));
  EXPECT_EQ(json_lines(run_program({"models", "--json"}).out).size(), 10u);  // every family, and the bundled model
  const auto matching = run_program({"models", "vit_base_patch16_224*"}).out;
  EXPECT_THAT(matching, AllOf(HasSubstr("timm"), HasSubstr("vit_base_patch16_224.augreg_in21k_ft_in1k\n"),
                              Not(HasSubstr("vit_large"))));
}

TEST_F(Commands, DoctorLooksAtTheMachine) {
  const auto run = run_program({"doctor"});
  EXPECT_EQ(run.exit_code, 0);
  const auto json = Json::parse(run_program({"doctor", "--json"}).out);
  for (const auto* check : {"nunchi", "processor", "cores", "instruction sets", "bf16", "memory", "LibTorch", "GPU",
                            "CUDA", "model cache", "this folder"}) {
    EXPECT_THAT(run.out, HasSubstr(check));
    EXPECT_TRUE(json.contains(check)) << check;
  }
}

TEST_F(Commands, DoctorMeasuresThePeak) {
  EXPECT_THAT(run_program({"doctor"}).out, Not(HasSubstr("FLOP/s")));
  EXPECT_THAT(run_program({"doctor", "--peak", "--threads", "1"}).out,
              testing::ContainsRegex("peak .*fp32 .*FLOP/s.*threads: 1"));
  const auto json = Json::parse(run_program({"doctor", "--peak", "--json", "--threads", "1"}).out)["peak"];
  EXPECT_EQ(json["threads"], Json(1));
  EXPECT_GT(json["fp32"].get<double>(), 1e8);
  for (const auto* precision : {"bf16", "int8"}) EXPECT_GE(json[precision].get<double>(), 0) << precision;
}

TEST_F(Commands, DoctorHasARemedyForAFolderThatCannotBeWritten) {
  ProgramOptions options;
  options.folder = "/";
  options.as_nobody = true;
  EXPECT_THAT(run_program({"doctor"}, options).out, AllOf(HasSubstr("cannot be written"), HasSubstr("--out")));
  options.environment = {{"HF_HOME", "/nowhere"}};
  EXPECT_THAT(run_program({"doctor"}, options).out, HasSubstr("/nowhere/hub (does not exist)"));
}

}  // namespace
}  // namespace nunchi::cli
