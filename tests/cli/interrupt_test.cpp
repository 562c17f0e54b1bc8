// Ctrl-C, readers that leave, and writers that are killed: what was done is kept, and nothing is half.
#include <gmock/gmock.h>

#include "cli/program.h"
#include "formats/npy.h"
#include "tasks/cases.h"

namespace nunchi::cli {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class Interrupted : public testing::Test {
 protected:
  Interrupted() { write_ppm(picture_, 40, 30); }

  // The command over the same picture many times: more than is done before the signal comes.
  std::vector<std::string> command(std::vector<std::string> words, std::size_t times = 6000) const {
    words.insert(words.begin() + 1, {"-m", model_});
    words.insert(words.end(), times, picture_);
    return words;
  }

  const TemporaryFolder folder_;
  const std::string model_ = case_model("vit_classifier").string();
  const std::string picture_ = (folder_ / "a.ppm").string();
};

// Sends `signal` once the program has written something: it is past loading then, and at work.
ProgramOptions signal_at_work(int signal) {
  ProgramOptions options;
  options.on_output = [signal, sent = false](const ProgramRun& so_far, pid_t child) mutable {
    const bool at_work = (so_far.out + so_far.err).find('\n') != std::string::npos;
    if (!sent && at_work) sent = kill(child, signal) == 0;
    return true;
  };
  return options;
}

TEST_F(Interrupted, CtrlCStopsBetweenBatchesAndKeepsWhatIsDone) {
  const auto expected = run_program(command({"classify", "--json"}, 1)).out;
  const auto run = run_program(command({"classify", "--json", "--batch", "4"}), signal_at_work(SIGINT));
  EXPECT_EQ(run.exit_code, 130);
  ASSERT_FALSE(run.out.empty());
  EXPECT_EQ(run.out.back(), '\n');
  const auto lines = lines_of(run.out);
  EXPECT_LT(lines.size(), 6000u);
  EXPECT_EQ(lines.size() % 4, 0u);
  for (const auto& line : lines) {
    const auto json = Json::parse(line);
    EXPECT_EQ(json["predictions"][0]["id"], Json::parse(expected)["predictions"][0]["id"]);
  }
  EXPECT_THAT(run.err, HasSubstr(fmt::format("stopped; {} of 6000 pictures are done", lines.size())));
}

TEST_F(Interrupted, TheFileHoldsWhatIsDone) {
  const auto out = (folder_ / "out.jsonl").string();
  const auto run =
      run_program(command({"classify", "--json", "--batch", "1", "-o", out, "absent.png"}), signal_at_work(SIGINT));
  EXPECT_EQ(run.exit_code, 130);
  EXPECT_THAT(run.err, HasSubstr("stopped; "));
  const auto text = read_file(out, 1 << 26);
  ASSERT_FALSE(text.empty());
  EXPECT_EQ(text.back(), '\n');
  const auto lines = lines_of(text);
  EXPECT_LT(lines.size(), 6001u);
  for (const auto& line : lines) EXPECT_TRUE(Json::parse(line).contains("file"));
}

TEST_F(Interrupted, ArraysHoldWhatIsDone) {
  const auto out = (folder_ / "out.npy").string();
  const auto run = run_program(command({"embed", "--batch", "1", "-o", out, "absent.png"}), signal_at_work(SIGINT));
  EXPECT_EQ(run.exit_code, 130);
  const auto npy = formats::read_npy(out);
  EXPECT_GE(npy.shape.at(0), 1);
  EXPECT_LT(npy.shape.at(0), 6000);
  EXPECT_EQ(read_json(out + ".files.json").size(), static_cast<std::size_t>(npy.shape.at(0)));
}

TEST_F(Interrupted, KilledOutrightItLeavesTheOldFile) {
  const auto out = (folder_ / "out.jsonl").string();
  write_file(out, "old");
  const auto run =
      run_program(command({"classify", "--json", "--batch", "1", "-o", out, "absent.png"}), signal_at_work(SIGKILL));
  EXPECT_EQ(run.signal, SIGKILL);
  EXPECT_EQ(read_file(out, 100), "old");
}

TEST_F(Interrupted, AReaderThatLeavesEndsTheProgram) {
  ProgramOptions options;
  options.on_output = [](const ProgramRun& so_far, pid_t) { return so_far.out.empty(); };
  const auto run = run_program(command({"classify"}), options);
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.signal, 0);
  EXPECT_EQ(run.err, "");
  EXPECT_LT(lines_of(run.out).size(), 6000u);
}

}  // namespace
}  // namespace nunchi::cli
