#include <gmock/gmock.h>

#include "cli/pictures.h"
#include "core/csv.h"

namespace nunchi::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

// A dataset of class folders for the small ViT, whose classes are cat, dog, "owl, bird of night", parrot, sunflower...
class Eval : public testing::Test {
 protected:
  Eval() {
    for (const auto* name : {"cat/1.ppm", "cat/2.ppm", "dog/3.ppm", "Bird_of_Night/4.ppm"}) add(name);
  }
  void add(const std::string& name) {
    fs::create_directories((folder_ / "data" / name).parent_path());
    write_ppm(folder_ / "data" / name, 40, 30, static_cast<int>(++seed_));
  }
  std::string data() const { return (folder_ / "data").string(); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  const TemporaryFolder folder_;
  int seed_ = 0;
};

TEST_F(Eval, CountsWhatClassifySays) {
  const auto run = run_program({"eval", vit, data(), "--json"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto json = Json::parse(run.out);
  const auto answers = json_lines(run_program({"classify", vit, data(), "--json", "-r", "-k", "5"}).out);
  ASSERT_EQ(answers.size(), 4u);  // in the order of the paths: Bird_of_Night, cat, cat, dog
  const std::vector<std::string> truths = {"owl, bird of night", "cat", "cat", "dog"};
  int top1 = 0, top5 = 0;
  for (std::size_t i = 0; i < truths.size(); ++i) {
    for (std::size_t k = 0; k < 5; ++k) {
      const bool hit = answers[i]["predictions"][k]["label"] == truths[i];
      top1 += hit && k == 0, top5 += hit;
    }
  }
  EXPECT_EQ(json["top1"]["hits"], top1);
  EXPECT_EQ(json["top_k"]["hits"], top5);
  EXPECT_EQ(json["k"], 5);
  EXPECT_EQ(json["pictures"], 4);
  EXPECT_EQ(json["partial"], false);
  EXPECT_EQ(json["classes"][0]["name"], "Bird_of_Night");
  EXPECT_EQ(json["classes"][0]["model_classes"][0]["id"], 2);
  EXPECT_EQ(json["calibration"]["bins"].size(), 15u);
  std::int64_t sum = 0;
  for (const auto& row : json["confusion"]["counts"])
    for (const auto& count : row) sum += count.get<std::int64_t>();
  EXPECT_EQ(sum, 4);
}

TEST_F(Eval, TellsItToPeople) {
  const auto run = run_program({"eval", vit, data()});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.err, "");
  for (const auto* part : {"top-1", "top-5", "95 % interval", "ECE", "Brier", "images/s", "precision",
                           "Bird_of_Night = owl\n", "class folders", "4 pictures, 3 classes"})
    EXPECT_THAT(run.out, HasSubstr(part));
  EXPECT_THAT(run.out, Not(HasSubstr("PARTIAL")));
}

TEST_F(Eval, WritesTheWholeMatrixToAFile) {
  EXPECT_EQ(run_program({"eval", vit, data(), "-q", "-o", path("x.json")}).exit_code, 0);
  EXPECT_EQ(read_json(path("x.json"))["pictures"], 4);
  const auto run = run_program({"eval", vit, data(), "-o", path("x.csv")});
  EXPECT_THAT(run.err, HasSubstr("x.csv: written"));
  const auto rows = parse_csv(read_file(path("x.csv"), 1 << 20), ',', "x.csv");
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_THAT(
      std::vector(rows[0].fields.begin(), rows[0].fields.begin() + 8),
      ElementsAre("class", "support", "predictions", "hits", "precision", "recall", "f1", "predicted: Bird_of_Night"));
  for (const auto& row : rows) EXPECT_EQ(row.fields.size(), rows[0].fields.size());
  EXPECT_EQ(rows[2].fields[0], "cat");
  EXPECT_EQ(rows[2].fields[1], "2");
  EXPECT_EQ(run_program({"eval", vit, data(), "-o", path("x.txt")}).exit_code, 2);
  EXPECT_EQ(run_program({"eval", vit, data(), "-o", path("no/x.csv")}).exit_code, 1);
  ASSERT_EQ(run_program({"eval", vit, data(), "-o", path("x.html")}).exit_code, 0);
  const auto page = read_file(path("x.html"), 1 << 22);
  for (const char* part :
       {"How often it is right", "top-1 of 4 pictures", "Confusions", "Calibration", "Bird_of_Night = owl"})
    EXPECT_THAT(page, HasSubstr(part));
  ASSERT_EQ(run_program({"eval", vit, data(), "-o", path("x.pdf")}).exit_code, 0);
  const auto sheets = read_file(path("x.pdf"), 1 << 22);
  EXPECT_THAT(sheets, AllOf(testing::StartsWith("%PDF"), HasSubstr("/Count 2")));
  ASSERT_EQ(run_program({"eval", vit, data(), "-o", path("x.html"), "--language", "ko"}).exit_code, 0);
  const auto korean = read_file(path("x.html"), 1 << 22);
  for (const char* part : {"lang=\"ko\"", "얼마나 자주 맞히는가", "사진 4장의 top-1", "혼동", "보정"})
    EXPECT_THAT(korean, HasSubstr(part));
}

TEST_F(Eval, NamesBrokenPicturesAndCountsTheRest) {
  write_file(path("data/dog/broken.ppm"), "P6\n40 30\n255\n");
  const auto run = run_program({"eval", vit, data(), "--json"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.err, HasSubstr("data/dog/broken.ppm"));
  const auto json = Json::parse(run.out);
  EXPECT_EQ(json["pictures"], 4);
  EXPECT_EQ(json["wanted"], 5);
  ASSERT_EQ(json["failed"].size(), 1u);
  EXPECT_THAT(json["failed"][0]["file"].get<std::string>(), HasSubstr("broken.ppm"));
  EXPECT_THAT(run_program({"eval", vit, data()}).out, HasSubstr("1 pictures could not be read"));
}

TEST_F(Eval, TellsWhichClassesAreMissingAndTakesAMapping) {
  add("kitten/5.ppm");
  const auto run = run_program({"eval", vit, data()});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_EQ(run.out, "");
  EXPECT_THAT(run.err, AllOf(HasSubstr("\"kitten\""), HasSubstr("--map")));
  write_file(path("map.csv"), "kitten,\n");
  const auto without = run_program({"eval", vit, data(), "--map", path("map.csv"), "--json"});
  EXPECT_EQ(Json::parse(without.out)["pictures"], 4);
  EXPECT_THAT(without.err, HasSubstr("left out"));
  write_file(path("map.csv"), "kitten,parrot\n");
  EXPECT_EQ(Json::parse(run_program({"eval", vit, data(), "--map", path("map.csv"), "--json"}).out)["pictures"], 5);
}

TEST_F(Eval, LimitSpreadsOverTheClasses) {
  for (int i = 10; i < 40; ++i) add(fmt::format("dog/{}.ppm", i));
  for (int i = 10; i < 40; ++i) add(fmt::format("cat/{}.ppm", i));
  const auto json = Json::parse(run_program({"eval", vit, data(), "--limit", "16", "--json", "--top", "2"}).out);
  EXPECT_EQ(json["pictures"], 16);
  EXPECT_EQ(json["k"], 2);
  for (const auto& each : json["classes"]) {
    const auto support = each["support"].get<int>();
    EXPECT_TRUE(each["name"] == "Bird_of_Night" ? support <= 1 : support >= 7) << each;
  }
}

TEST_F(Eval, OneViewIsThePlainEvaluation) {
  const auto strip = [](Json json) {
    for (const auto* name : {"seconds", "images_per_second", "load_seconds", "views"}) json.erase(name);
    return json;
  };
  const auto plain = Json::parse(run_program({"eval", vit, data(), "--json"}).out);
  EXPECT_EQ(strip(plain), strip(Json::parse(run_program({"eval", vit, data(), "--json", "--batch", "1"}).out)));
  const auto flipped = Json::parse(run_program({"eval", vit, data(), "--json", "--tta"}).out);
  EXPECT_EQ(flipped["views"], "flip");
  EXPECT_NE(flipped["calibration"]["brier"], plain["calibration"]["brier"]);
}

TEST_F(Eval, CtrlCGivesTheResultSoFar) {
  std::string list;
  write_file(path("broken.ppm"), "P6\n");
  list += path("broken.ppm") + ",dog\n";  // its message tells that work has begun
  for (int i = 0; i < 6000; ++i) list += "data/cat/1.ppm,cat\n";
  write_file(path("list.csv"), list);
  ProgramOptions options;
  options.on_output = [sent = false](const ProgramRun& so_far, pid_t child) mutable {
    if (!sent && so_far.err.find('\n') != std::string::npos) sent = kill(child, SIGINT) == 0;
    return true;
  };
  const auto run = run_program({"eval", vit, path("list.csv"), "--batch", "2", "-o", path("x.json")}, options);
  EXPECT_EQ(run.exit_code, 130);
  EXPECT_THAT(run.out, AllOf(HasSubstr("PARTIAL"), HasSubstr("of 6,001 pictures")));
  const auto json = read_json(path("x.json"));
  EXPECT_EQ(json["partial"], true);
  EXPECT_LT(json["pictures"].get<int>(), 6000);
  EXPECT_EQ(json["top1"]["total"], json["pictures"]);
}

TEST_F(Eval, WantsOneDataset) {
  EXPECT_THAT(run_program({"eval", vit}).err, HasSubstr("no dataset is named"));
  EXPECT_EQ(run_program({"eval", vit, data(), data()}).exit_code, 2);
  EXPECT_THAT(run_program({"eval", vit, path("nowhere")}).err, HasSubstr("expected a dataset"));
  EXPECT_THAT(run_program({"eval", vit, data(), "--split", "test"}).err, HasSubstr("no splits"));
  EXPECT_EQ(run_program({"eval", case_model("vit_pooler").string(), data()}).exit_code, 3);
  EXPECT_THAT(run_program({"eval", "--help"}).out, AllOf(HasSubstr("--map"), HasSubstr("n02123045"), HasSubstr("idx")));
}

// The accuracy path of the real model: its answers on real photos are known.
TEST_F(Eval, MobileNetV2IsRightOnAllEightPhotos) {
  SKIP_WITHOUT_SHARED("mobilenet-v2-imagenet/hf");
  SKIP_WITHOUT_SHARED("photos");
  const std::vector<std::pair<std::string, std::string>> photos = {
      {"Egyptian_cat", "cat.bmp"}, {"chickadee", "bird.bmp"},
      {"macaw", "parrot.jpg"},     {"hotdog", "hot_dog.jpg"},
      {"daisy", "sunflower.bmp"},  {"n02268443", "dragonfly.bmp"},
      {"dumbbell", "squat.bmp"},   {"Samoyed, Samoyede", "dog_segmentation.bmp"}};
  for (const auto& [name, photo] : photos) {
    fs::create_directories(folder_ / "photos" / name);
    fs::create_symlink(fs::absolute(shared_data("photos") / photo), folder_ / "photos" / name / photo);
  }
  const auto run = run_program({"eval", shared_data("mobilenet-v2-imagenet/hf").string(), path("photos"), "--json"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto json = Json::parse(run.out);
  EXPECT_EQ(json["top1"]["hits"], 8);
  EXPECT_EQ(json["top1"]["total"], 8);
  // -ln of the probabilities that transformers gives, in mean: 0.947 0.998 0.997 0.980 0.990 0.948 0.972 0.929
  EXPECT_NEAR(json["calibration"]["negative_log_likelihood"].get<double>(), 0.0308, 0.001);
}

}  // namespace
}  // namespace nunchi::cli
