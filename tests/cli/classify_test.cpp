#include <gmock/gmock.h>

#include "cli/pictures.h"
#include "cli/terminal.h"

namespace nunchi::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
namespace fs = std::filesystem;

using Classify = Pictures;
using Inputs = Pictures;

TEST_F(Classify, ClassifyNamesOnePictureWithFiveAnswers) {
  const auto run = run_program({"classify", vit, picture});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.err, "");
  const auto lines = lines_of(run.out);
  ASSERT_EQ(lines.size(), 6u);
  EXPECT_EQ(lines[0], picture);
  for (std::size_t i = 1; i < lines.size(); ++i) EXPECT_THAT(lines[i], HasSubstr(" %  "));
}

TEST_F(Classify, ClassifyNamesAFolderInOrderWithOneAnswerEach) {
  const auto run = run_program({"classify", vit, in()});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  const auto lines = lines_of(run.out);
  ASSERT_EQ(lines.size(), names.size());
  for (std::size_t i = 0; i < lines.size(); ++i)
    EXPECT_THAT(lines[i], AllOf(StartsWith(in(names[i])), HasSubstr(" %  ")));
}

TEST_F(Classify, ClassifyAnswersTheSameWhateverTheBatchThreadsAndOrderOfTheOptions) {
  const auto expected = run_program({"classify", vit, in(), "--json"}).out;
  EXPECT_EQ(json_lines(expected).size(), names.size());
  const std::vector<std::vector<std::string>> orders = {
      {"classify", "--json", "--batch", "1", vit, in()},
      {"classify", in(), "-m", vit, "--json"},
      {"classify", in(), "--json", "--model=" + vit, "-q"},
      {"-m", vit, "classify", in(), "--json", "--threads", "1"},
      {"classify", "--json", "-m", vit, "--", in()},
      {"classify", vit, "--json", in("a.ppm"), in(names[1]), in(names[2]), in(names[3])}};
  const auto answers = json_lines(expected);
  for (const auto& arguments : orders) {
    const auto run = run_program(arguments);
    EXPECT_EQ(run.exit_code, 0) << run.err;
    const auto found = json_lines(run.out);
    ASSERT_EQ(found.size(), answers.size()) << testing::PrintToString(arguments);
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i]["file"], answers[i]["file"]);
      EXPECT_EQ(found[i]["predictions"][0]["id"], answers[i]["predictions"][0]["id"]);
      EXPECT_NEAR(found[i]["predictions"][0]["probability"].get<double>(),
                  answers[i]["predictions"][0]["probability"].get<double>(), 1e-5);
    }
  }
}

TEST_F(Classify, ClassifyWritesJsonLines) {
  const auto lines = json_lines(run_program({"classify", vit, picture, "--json", "-k", "7"}).out);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0]["file"], picture);
  ASSERT_EQ(lines[0]["predictions"].size(), 7u);
  double sum = 0;
  for (const auto& prediction : lines[0]["predictions"]) sum += prediction["probability"].get<double>();
  EXPECT_NEAR(sum, 1, 1e-5);
}

// A reader of RFC 4180: enough to see that quoting is undone to what it was.
std::vector<std::vector<std::string>> parse_csv(const std::string& text) {
  std::vector<std::vector<std::string>> rows(1, {""});
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto& field = rows.back().back();
    if (quoted && text[i] == '"' && i + 1 < text.size() && text[i + 1] == '"')
      field += text[++i];
    else if (text[i] == '"')
      quoted = !quoted;
    else if (!quoted && text[i] == ',')
      rows.back().emplace_back();
    else if (!quoted && text[i] == '\n')
      rows.push_back({""});
    else
      field += text[i];
  }
  rows.pop_back();
  return rows;
}

TEST_F(Classify, ClassifyWritesCsvThatIsReadBack) {
  const auto model = copy_case("vit_classifier", folder_) / "model";
  change_json(model / "config.json", [](Json& config) {
    for (auto& [id, label] : config["id2label"].items()) label = "the \"" + id + "\", or\nnot";
  });
  const auto run = run_program({"classify", model.string(), in(), "--csv", "-k", "2"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  const auto rows = parse_csv(run.out);
  ASSERT_EQ(rows.size(), 1 + 2 * names.size());
  EXPECT_THAT(rows[0], ElementsAre("file", "rank", "id", "label", "probability"));
  for (std::size_t i = 1; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i].size(), 5u);
    EXPECT_EQ(rows[i][0], in(names[(i - 1) / 2]));
    EXPECT_EQ(rows[i][1], std::to_string(1 + (i - 1) % 2));
    EXPECT_EQ(rows[i][3], "the \"" + rows[i][2] + "\", or\nnot");
  }
}

TEST_F(Classify, ClassifyWritesToAFileAsAWhole) {
  const auto expected = run_program({"classify", vit, in(), "--json"}).out;
  write_file(out("answers.jsonl"), "old");
  const auto run = run_program({"classify", vit, in(), "--json", "-o", out("answers.jsonl")});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(read_file(out("answers.jsonl"), 1 << 20), expected);
}

TEST_F(Classify, NamesThatAreNotUtf8StillMakeJson) {
  const auto odd = in("caf\xe9.ppm");
  write_ppm(odd, 40, 30);
  const auto lines = json_lines(run_program({"classify", vit, odd, "--json"}).out);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0]["file"].get<std::string>(), HasSubstr("caf\xef\xbf\xbd.ppm"));
  const auto run = run_program({"embed", vit, odd, "-o", out("odd.safetensors")});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(Json::parse(formats::SafetensorsFile::open(out("odd.safetensors")).metadata().at("files")).size(), 1u);
}

TEST_F(Classify, ClassifyRefusesABackbone) {
  const auto run = run_program({"classify", case_model("vit_pooler").string(), picture});
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_THAT(run.err, AllOf(HasSubstr("no classifier"), HasSubstr("embed")));
}

TEST_F(Classify, ClassifyNamesRealPhotosAsTransformersDoes) {
  SKIP_WITHOUT_SHARED("mobilenet-v2-imagenet/hf");
  SKIP_WITHOUT_SHARED("photos");
  const auto photo = [](const std::string& name) { return (shared_data("photos") / name).string(); };
  const auto run = run_program({"classify", shared_data("mobilenet-v2-imagenet/hf").string(), photo("cat.bmp"),
                                photo("parrot.jpg"), photo("squat.bmp"), "--json"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  const std::vector<std::pair<std::string, double>> expected = {
      {"Egyptian cat", 0.947}, {"macaw", 0.997}, {"dumbbell", 0.929}};
  const auto lines = json_lines(run.out);
  ASSERT_EQ(lines.size(), expected.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_THAT(lines[i]["predictions"][0]["label"].get<std::string>(), HasSubstr(expected[i].first));
    EXPECT_NEAR(lines[i]["predictions"][0]["probability"].get<double>(), expected[i].second, 1e-3);
  }
}

// --- inputs

TEST_F(Inputs, InputsAreFilesFoldersAndGlobs) {
  fs::create_directory(folder_ / "in/below");
  write_ppm(folder_ / "in/below/z.ppm", 40, 30);
  const auto count = [&](const std::vector<std::string>& inputs) {
    std::vector<std::string> arguments = {"classify", vit, "--json"};
    arguments.insert(arguments.end(), inputs.begin(), inputs.end());
    const auto run = run_program(arguments);
    EXPECT_EQ(run.exit_code, 0) << run.err;
    return json_lines(run.out).size();
  };
  EXPECT_EQ(count({in()}), 4u);
  EXPECT_EQ(count({in(), "--recursive"}), 5u);
  EXPECT_EQ(count({in("*.ppm")}), 3u);
  EXPECT_EQ(count({in("?.ppm"), in("a.ppm")}), 2u);
  EXPECT_EQ(count({in("{a,고양이}.ppm"), in("below")}), 3u);
}

TEST_F(Inputs, AFileWhoseNameIsAPatternIsThatFile) {
  write_ppm(in("[a].ppm"), 40, 30);
  const auto lines = json_lines(run_program({"classify", vit, in("[a].ppm"), "--json"}).out);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0]["file"], in("[a].ppm"));
}

TEST_F(Inputs, ExifOrientationIsAppliedUnlessItIsSwitchedOff) {
  const auto jpeg = (case_folder("vit_exif_6") / "input.jpg").string();
  ASSERT_TRUE(fs::exists(jpeg));
  const auto model = case_model("vit_exif_6").string();
  const auto turned = run_program({"walk", model, jpeg}), plain = run_program({"walk", model, jpeg, "--no-exif"});
  EXPECT_THAT(turned.out, HasSubstr("[75, 50, 3]"));
  EXPECT_THAT(plain.out, HasSubstr("[50, 75, 3]"));
  EXPECT_NE(run_program({"embed", model, jpeg}).out, run_program({"embed", model, jpeg, "--no-exif"}).out);
}

TEST_F(Inputs, StandardInputIsNotRead) {
  // Its write end stays open: a program that read it would hang until the helper kills it.
  EXPECT_EQ(run_program({"classify", vit, picture}).exit_code, 0);
}

std::string seen_on_a_terminal(const std::vector<std::string>& arguments) {
  Terminal terminal;
  EXPECT_EQ(run_program(arguments, {.stderr_path = terminal.path()}).exit_code, 0);
  return terminal.seen();
}

TEST_F(Inputs, ProgressIsShownOnATerminalAndWipedAway) {
  const auto text = seen_on_a_terminal({"classify", vit, in(), "--batch", "2"});
  EXPECT_THAT(text, AllOf(HasSubstr("classify"), HasSubstr("2/4"), testing::EndsWith("\r\x1b[K")));
  EXPECT_EQ(seen_on_a_terminal({"classify", vit, in(), "--quiet"}), "");
  EXPECT_EQ(seen_on_a_terminal({"classify", vit, picture}), "");
}

TEST_F(Inputs, NothingButTextGoesToAPipe) {
  ProgramOptions options;
  options.environment = {{"NO_COLOR", "1"}};
  for (const auto& environment : {ProgramOptions{}, options}) {
    const auto run = run_program({"classify", vit, in(), "--verbose"}, environment);
    EXPECT_EQ(run.exit_code, 0);
    EXPECT_THAT(run.out + run.err, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\r"))));
  }
}

}  // namespace
}  // namespace nunchi::cli
