// Every kind of bad input: one line that says what was expected, what was found, where, and what to do; the right exit
// code; nothing half written; and the good inputs beside the bad ones are answered.
#include <gmock/gmock.h>

#include <cmath>
#include <cstring>

#include "cli/altered_model.h"

namespace nunchi::cli {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
namespace fs = std::filesystem;

using BadInput = AlteredModel;

// --- the model

TEST_F(BadInput, AnUnalteredCopyWorks) { EXPECT_EQ(classify({picture_}).exit_code, 0); }

TEST_F(BadInput, NoSuchModel) {
  fs::remove_all(model_);
  EXPECT_THAT(model_error(),
              AllOf(HasSubstr("no such model"), HasSubstr("config.json"), HasSubstr("model.safetensors")));
}

TEST_F(BadInput, AnEmptyFolder) {
  fs::remove_all(model_);
  fs::create_directory(model_);
  EXPECT_THAT(model_error(), AllOf(HasSubstr("expected a config.json"), HasSubstr("found none")));
}

TEST_F(BadInput, NoConfig) {
  fs::remove(model_ / "config.json");
  EXPECT_THAT(model_error(), AllOf(HasSubstr("expected a config.json"), HasSubstr("found none")));
}

TEST_F(BadInput, BrokenConfig) {
  cut(model_ / "config.json", 100);
  EXPECT_THAT(model_error(), AllOf(HasSubstr("config.json"), HasSubstr("JSON")));
  write_file(model_ / "config.json", "[1, 2]");
  EXPECT_THAT(model_error(), AllOf(HasSubstr("expected a JSON object"), HasSubstr("array")));
  write_file(model_ / "config.json", "");
  EXPECT_THAT(model_error(), HasSubstr("config.json"));
}

TEST_F(BadInput, AnUnsupportedModelType) {
  change_config([](Json& config) { config["model_type"] = "cvt"; });
  EXPECT_THAT(model_error(), AllOf(HasSubstr("\"cvt\""), HasSubstr("not supported yet"), HasSubstr("\"vit\"")));
  change_config([](Json& config) { config["model_type"] = "abacus"; });
  EXPECT_THAT(model_error(), AllOf(HasSubstr("\"abacus\""), HasSubstr("not known"), HasSubstr("mobilenet_v2")));
  change_config([](Json& config) { config.erase("model_type"); });
  EXPECT_THAT(model_error(), HasSubstr("model_type"));
}

TEST_F(BadInput, ConfigFieldsThatMakeNoModel) {
  for (const auto& [field, value] : std::vector<std::pair<std::string, Json>>{{"hidden_size", "large"},
                                                                              {"hidden_size", -36},
                                                                              {"patch_size", 0},
                                                                              {"num_hidden_layers", 1'000'000'000},
                                                                              {"hidden_act", "step"},
                                                                              {"num_attention_heads", 0},
                                                                              {"image_size", 1e30}}) {
    const auto config = read_file(model_ / "config.json", 1 << 20);
    change_config([&](Json& json) { json[field] = value; });
    EXPECT_THAT(model_error(), Not(IsEmpty())) << field;
    write_file(model_ / "config.json", config);
  }
}

TEST_F(BadInput, NoWeights) {
  fs::remove(model_ / "model.safetensors");
  EXPECT_THAT(model_error(), AllOf(HasSubstr("expected model.safetensors"), HasSubstr("found")));
}

TEST_F(BadInput, TruncatedWeights) {
  const auto file = model_ / "model.safetensors";
  const auto size = fs::file_size(file);
  for (const auto bytes :
       {size - 1, size / 2, std::uintmax_t{100}, std::uintmax_t{8}, std::uintmax_t{3}, std::uintmax_t{0}}) {
    cut(file, bytes);
    EXPECT_THAT(model_error(), AllOf(HasSubstr("model.safetensors"),
                                     AnyOf(HasSubstr("cut off"), HasSubstr("broken off"), HasSubstr("expected"))))
        << bytes;
  }
}

TEST_F(BadInput, WeightsThatAreNoSafetensors) {
  write_file(model_ / "model.safetensors", std::string(5000, 'x'));
  EXPECT_THAT(model_error(), AllOf(HasSubstr("model.safetensors"), HasSubstr("expected")));
}

TEST_F(BadInput, AllKeysThatDoNotFitAreNamedInOneError) {
  change_weights([](Arrays& arrays) {
    arrays.erase("vit.layernorm.weight");
    arrays.erase("vit.encoder.layer.2.output.dense.bias");
    arrays["vit.stranger"] = arrays.at("classifier.bias");
    arrays.at("classifier.weight").shape = {36, 7};
  });
  EXPECT_THAT(model_error(),
              AllOf(HasSubstr("missing (2)"), HasSubstr("vit.layernorm.weight"),
                    HasSubstr("vit.encoder.layer.2.output.dense.bias"), HasSubstr("unexpected (1): vit.stranger"),
                    HasSubstr("wrong shape (1)"), HasSubstr("classifier.weight: expected [7, 36], found [36, 7]")));
}

TEST_F(BadInput, WeightsOfAnUnsupportedType) {
  change_weights([](Arrays& arrays) {
    auto& bias = arrays.at("classifier.bias");
    bias.dtype = formats::Dtype::f8_e4m3;
    bias.bytes.resize(7);
  });
  EXPECT_THAT(model_error(),
              AllOf(HasSubstr("classifier.bias"), HasSubstr("F8_E4M3"), HasSubstr("expected F32, F16, BF16 or F64")));
}

TEST_F(BadInput, AnotherTypeThanTheConfigSaysIsReadAsWhatItIs) {
  change_weights([](Arrays& arrays) {
    auto& bias = arrays.at("classifier.bias");
    std::vector<std::byte> doubles(8 * bias.count());
    for (std::size_t i = 0; i < bias.count(); ++i) {
      const double value = bias.floats()[i];
      std::memcpy(doubles.data() + 8 * i, &value, 8);
    }
    bias.dtype = formats::Dtype::f64, bias.bytes = doubles;
  });
  EXPECT_EQ(classify({picture_}).out,
            run_program({"classify", case_model("vit_classifier").string(), "--json", picture_}).out);
}

TEST_F(BadInput, WeightsThatAreNotNumbersGiveNoAnswer) {
  change_weights([](Arrays& arrays) { arrays.at("vit.layernorm.bias").floats()[0] = NAN; });
  for (const auto* command : {"classify", "embed"}) {
    const auto run = run_program({command, model_.string(), picture_});
    EXPECT_EQ(run.exit_code, 3) << command;
    EXPECT_EQ(run.out, "") << command;
    EXPECT_THAT(run.err, AllOf(HasSubstr("not a number"), HasSubstr("weights"))) << command;
  }
}

TEST_F(BadInput, AMissingShard) {
  const auto model = copy_case("vit_sharded", folder_) / "model";
  for (const auto& file : list_files(model)) {
    if (file.filename().string().starts_with("model-00002")) fs::remove(file);
  }
  const auto run = run_program({"classify", model.string(), picture_});
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_THAT(run.err, AllOf(HasSubstr("index.json"), HasSubstr("model-00002"), HasSubstr("missing")));
}

TEST_F(BadInput, NoPreprocessor) {
  fs::remove(model_ / "preprocessor_config.json");
  EXPECT_THAT(model_error(), AllOf(HasSubstr("preprocessor_config.json"), HasSubstr("found none"), HasSubstr("Copy")));
  EXPECT_EQ(run_program({"info", model_.string()}).exit_code, 0);
}

TEST_F(BadInput, BrokenPreprocessor) {
  write_file(model_ / "preprocessor_config.json", R"({"size": "large")");
  EXPECT_THAT(model_error(), AllOf(HasSubstr("preprocessor_config.json"), HasSubstr("JSON")));
  write_file(model_ / "preprocessor_config.json",
             R"({"image_processor_type": "ViTImageProcessor", "size": {"height": -4, "width": "x"}})");
  EXPECT_THAT(model_error(), HasSubstr("size"));
}

TEST_F(BadInput, AFileInsteadOfAModel) {
  for (const auto* name : {"weights.pth", "weights.bin"}) {
    write_file(folder_ / name, "PK");
    const auto run = run_program({"classify", path(name), picture_});
    EXPECT_EQ(run.exit_code, 3);
    EXPECT_THAT(run.err, AllOf(HasSubstr(path(name)), HasSubstr("--arch")));
  }
  const auto alone = run_program({"classify", (model_ / "model.safetensors").string(), picture_});
  EXPECT_EQ(alone.exit_code, 3);
  EXPECT_THAT(alone.err, HasSubstr("--arch"));
}

// --- the pictures

TEST_F(BadInput, OneBadPictureAmongGoodOnes) {
  write_file(folder_ / "text.png", "these are no pixels");
  write_file(folder_ / "cut.png", read_file(picture_, 1 << 20).substr(0, 400));
  write_file(folder_ / "empty.png", "");
  const std::vector<std::pair<std::string, std::string>> bad = {{path("text.png"), "19 bytes"},
                                                                {path("cut.png"), "PNG"},
                                                                {path("empty.png"), "empty"},
                                                                {path("absent.png"), "No such file"},
                                                                {path(std::string(300, 'n')), "too long"}};
  for (const auto& [file, word] : bad) {
    const auto run = classify({picture_, file, picture_});
    EXPECT_EQ(run.exit_code, 1) << file;
    EXPECT_THAT(run.err, AllOf(HasSubstr("nunchi: " + file), HasSubstr(word))) << file;
    std::size_t answers = 0, errors = 0;
    for (const auto& line : lines_of(run.out)) {
      const auto json = Json::parse(line);
      answers += json.contains("predictions") && json["file"] == picture_;
      errors += json.contains("error") && json["file"] == file;
    }
    EXPECT_EQ(answers, 2u) << file;
    EXPECT_EQ(errors, 1u) << file;
  }
}

TEST_F(BadInput, OnlyBadPictures) {
  for (const auto* command : {"classify", "embed", "similar", "walk"}) {
    const auto run = run_program({command, model_.string(), path("absent.png")});
    EXPECT_EQ(run.exit_code, 1) << command;
    EXPECT_EQ(run.out, "") << command;
    EXPECT_THAT(run.err, HasSubstr(path("absent.png"))) << command;
  }
  const auto run = run_program({"embed", model_.string(), path("absent.png"), "-o", path("out.npy")});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.err, HasSubstr("not written"));
  EXPECT_THAT(strangers(), IsEmpty());
}

TEST_F(BadInput, WalkGoesOnAfterABadPicture) {
  const auto run = run_program({"walk", model_.string(), path("absent.png"), picture_});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.out, HasSubstr("last_hidden_state"));
}

TEST_F(BadInput, TooManyPixels) {
  const auto run = run_program({"classify", model_.string(), picture_, "--max-pixels", "2000"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.err,
              AllOf(HasSubstr(picture_), HasSubstr("2000"), HasSubstr("61 x 47"), HasSubstr("raise the limit")));
}

TEST_F(BadInput, AFolderWithoutPicturesOrAGlobWithoutMatchesAmongGoodOnes) {
  fs::create_directory(folder_ / "empty");
  for (const auto& [input, word] : std::vector<std::pair<std::string, std::string>>{
           {path("empty"), "no pictures in this folder"}, {path("*.jpeg"), "no file matches"}}) {
    const auto alone = classify({input});
    EXPECT_EQ(alone.exit_code, 1);
    EXPECT_EQ(alone.out, "");
    EXPECT_THAT(alone.err, AllOf(HasSubstr(input), HasSubstr(word)));
    const auto beside = classify({input, picture_});
    EXPECT_EQ(beside.exit_code, 1);
    EXPECT_THAT(beside.err, AllOf(HasSubstr(input), HasSubstr(word)));
    EXPECT_EQ(lines_of(beside.out).size(), 1u);
  }
}

TEST_F(BadInput, WhatMayNotBeRead) {
  fs::create_directory(folder_ / "locked");
  fs::copy(picture_, folder_ / "locked/a.png");
  fs::copy(picture_, folder_ / "b.png");
  fs::permissions(folder_ / "locked", fs::perms::none);
  open_folder();
  ProgramOptions options;
  options.as_nobody = true;
  if (run_program({"--help"}, options).exit_code != 0) GTEST_SKIP() << "the build cannot be run by the user nobody";
  for (const auto& input : {path("locked"), path("locked/a.png")}) {
    const auto run = classify({input, path("b.png")}, options);
    EXPECT_EQ(run.exit_code, 1) << input;
    EXPECT_THAT(run.err, AllOf(HasSubstr(path("locked")), HasSubstr("Permission denied"))) << input;
    EXPECT_THAT(run.out, HasSubstr(path("b.png"))) << input;
  }
  fs::permissions(folder_ / "locked", fs::perms::owner_all | fs::perms::others_read | fs::perms::others_exec);
  fs::permissions(folder_ / "locked/a.png", fs::perms::none);
  const auto run = classify({path("locked"), path("b.png")}, options);
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.err, AllOf(HasSubstr(path("locked/a.png")), HasSubstr("Permission denied")));
}

TEST_F(BadInput, AnUnreadableFolderBelowIsCounted) {
  fs::create_directories(folder_ / "in/locked");
  fs::copy(picture_, folder_ / "in/a.png");
  fs::permissions(folder_ / "in/locked", fs::perms::none);
  open_folder();
  ProgramOptions options;
  options.as_nobody = true;
  if (run_program({"--help"}, options).exit_code != 0) GTEST_SKIP() << "the build cannot be run by the user nobody";
  const auto run = classify({path("in"), "--recursive"}, options);
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.err, HasSubstr(path("in/locked")));
  EXPECT_EQ(lines_of(run.out).size(), 1u);
}

TEST_F(BadInput, AModelThatMayNotBeRead) {
  open_folder();
  fs::permissions(model_, fs::perms::none);
  ProgramOptions options;
  options.as_nobody = true;
  if (run_program({"--help"}, options).exit_code != 0) GTEST_SKIP() << "the build cannot be run by the user nobody";
  const auto folder = classify({picture_}, options);
  EXPECT_EQ(folder.exit_code, 3);
  EXPECT_THAT(folder.err, AllOf(HasSubstr(model_.string()), HasSubstr("Permission denied")));
  fs::permissions(model_, fs::perms::owner_all | fs::perms::others_read | fs::perms::others_exec);
  fs::permissions(model_ / "model.safetensors", fs::perms::none);
  const auto weights = classify({picture_}, options);
  EXPECT_EQ(weights.exit_code, 3);
  EXPECT_THAT(weights.err, AllOf(HasSubstr("model.safetensors"), HasSubstr("Permission denied")));
}

}  // namespace
}  // namespace nunchi::cli
