// `nunchi train` as a user meets it: its result is a model, and nothing that ends the program costs more than was done
// since the last save.
#include <random>

#include "cli/pictures.h"
#include "train/tiny.h"

namespace nunchi::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
namespace fs = std::filesystem;

class Train : public testing::Test {
 protected:
  Train() {
    write_tiny_dataset(folder_ / "data");
    write_file(recipe_, tiny_recipe(folder_ / "data"));
  }
  std::vector<std::string> command(const std::string& run, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {"train", recipe_, "-o", (folder_ / run).string(), "--threads", "1"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  std::string model(const std::string& run) const {
    return read_file(folder_ / run / "model/model.safetensors", 1 << 28);
  }
  std::string last_model(const std::string& run) const {
    return read_file(folder_ / run / "last/model.safetensors", 1 << 28);
  }

  const TemporaryFolder folder_;
  const std::string recipe_ = (folder_ / "tiny.yaml").string();
};

TEST_F(Train, GivesAModelOfWhichEvalReproducesTheNumber) {
  const auto run = run_program(command("run", {"schedule.epochs=6", "--json"}));
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.err, HasSubstr("epoch 6: loss"));
  const auto best = Json::parse(run.out)["best"];
  const auto eval =
      run_program({"eval", (folder_ / "run/model").string(), (folder_ / "data").string(), "--split", "val", "--json"});
  ASSERT_EQ(eval.exit_code, 0) << eval.err;
  EXPECT_EQ(Json::parse(eval.out)["top1"]["value"], best["validation"]["top1"]) << eval.out;
  EXPECT_GE(best["validation"]["top1"].get<double>(), 0.8);
  const auto again = run_program(command("run", {"schedule.epochs=6"}));
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_THAT(again.out, HasSubstr("run/model: epoch "));
}

// A program that is killed right after it has told of some epoch, any number of times.
TEST_F(Train, KilledOutrightItGoesOnAndEndsAsIfItWasNot) {
  const std::vector<std::string> words = {"schedule.epochs=12", "run.save_every_seconds=0"};
  ASSERT_EQ(run_program(command("whole", words)).exit_code, 0);
  std::mt19937 random(5);
  int killed = 0;
  for (int i = 0; i < 30; ++i) {
    ProgramOptions options;
    options.on_output = [lines = random() % 3](const ProgramRun& so_far, pid_t child) {
      if (lines_of(so_far.err).size() > lines + 1) kill(child, SIGKILL);
      return true;
    };
    const auto run = run_program(command("parts", words), options);
    killed += run.signal == SIGKILL ? 1 : 0;
    if (run.exit_code == 0) break;
    ASSERT_EQ(run.signal, SIGKILL) << run.err;
  }
  EXPECT_GE(killed, 2);
  EXPECT_TRUE(last_model("parts") == last_model("whole"));
  EXPECT_TRUE(model("parts") == model("whole"));
}

TEST_F(Train, CtrlCSavesAndSaysHowToGoOn) {
  const std::vector<std::string> words = {"schedule.epochs=12"};
  ASSERT_EQ(run_program(command("whole", words)).exit_code, 0);
  for (const int signal : {SIGINT, SIGTERM}) {
    ProgramOptions options;
    options.on_output = [signal, sent = false](const ProgramRun& so_far, pid_t child) mutable {
      if (!sent && so_far.err.find("; validation") != std::string::npos) sent = kill(child, signal) == 0;
      return true;
    };
    const auto run = run_program(command("parts", words), options);
    EXPECT_EQ(run.exit_code, 130) << run.err;
    EXPECT_THAT(run.err, AllOf(HasSubstr("stopped after step "), HasSubstr("to go on: nunchi train ")));
  }
  const auto run = run_program(command("parts", words));
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.err, HasSubstr("going on after step "));
  EXPECT_TRUE(last_model("parts") == last_model("whole"));
}

TEST_F(Train, OnAFullDiskTheLastGoodStateRemains) {
  const std::vector<std::string> words = {"schedule.epochs=4", "run.save_every_seconds=0"};
  ASSERT_EQ(run_program(command("whole", words)).exit_code, 0);
  ProgramOptions stop;
  stop.on_output = [](const ProgramRun& so_far, pid_t child) {
    if (so_far.err.find("epoch 1:") != std::string::npos) kill(child, SIGKILL);
    return true;
  };
  run_program(command("parts", words), stop);
  ProgramOptions full;
  full.largest_file = 100'000;  // a state is larger
  const auto run = run_program(command("parts", words), full);
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.err, AllOf(HasSubstr("cannot be written"), HasSubstr("No half file is left behind")));
  EXPECT_EQ(run_program(command("parts", words)).exit_code, 0);
  EXPECT_TRUE(last_model("parts") == last_model("whole"));
}

TEST_F(Train, WhatIsWrongIsToldBeforeAnythingIsDone) {
  const auto code_and_text = [&](const std::vector<std::string>& words) {
    const auto run = run_program(words);
    return fmt::format("{} {}", run.exit_code.value_or(-1), run.err);
  };
  EXPECT_THAT(code_and_text(command("run", {"optimizer.lerning_rate=1"})),
              AllOf(HasSubstr("2 "), HasSubstr("the nearest is \"optimizer.learning_rate\"")));
  EXPECT_THAT(code_and_text({"train", (folder_ / "absent.yaml").string()}),
              AllOf(HasSubstr("2 "), HasSubstr("absent")));
  EXPECT_THAT(code_and_text(command("run", {"data.path=nowhere"})), AllOf(HasSubstr("1 "), HasSubstr("nowhere")));
  EXPECT_THAT(code_and_text(command("run", {"data.classes=[red, gren]"})),
              AllOf(HasSubstr("2 "), HasSubstr("the nearest is \"green\"")));
  EXPECT_THAT(code_and_text(command("run", {"--resume"})), AllOf(HasSubstr("2 "), HasSubstr("no training to resume")));
  EXPECT_THAT(code_and_text(command("run", {"model.arch=vit_tiny_patch16_22"})),
              AllOf(HasSubstr("2 "), HasSubstr("vit_tiny_patch16_224")));
  EXPECT_THAT(code_and_text(command("run", {"--device", "tpu"})), AllOf(HasSubstr("2 "), HasSubstr("expected auto")));
  EXPECT_THAT(code_and_text({"train"}), HasSubstr("2 "));
}

}  // namespace
}  // namespace nunchi::cli
