// What is answered without LibTorch: help, usage errors, completion; and how fast.
#include <gmock/gmock.h>

#include "cli/program.h"
#include "tasks/cases.h"

namespace nunchi::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
namespace fs = std::filesystem;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool timed = false;
#else
constexpr bool timed = true;
#endif

const std::string model = case_model("vit_classifier").string();
const std::string picture = (case_folder("vit_classifier") / "input.png").string();

// The best of many runs: a busy machine makes some of them slow, not all.
double best_seconds(const std::vector<std::string>& arguments, double enough) {
  double best = 1e9;
  for (int i = 0; i < 60 && best > enough; ++i) best = std::min(best, run_program(arguments).seconds);
  return best;
}

TEST(Start, HelpNamesEveryCommandAndExitCode) {
  const auto run = run_program({"--help"});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.err, "");
  for (const auto* word : {"classify", "embed", "similar", "forward", "parity", "info", "walk", "models", "doctor",
                           "version", "pull", "cache", "completion", "Exit codes", "130", "MODEL", "INPUT"}) {
    EXPECT_THAT(run.out, HasSubstr(word));
  }
}

TEST(Start, EveryCommandHasHelp) {
  for (const auto* command : {"classify", "embed", "similar", "forward", "parity", "info", "walk", "models", "doctor",
                              "version", "pull", "cache", "completion"}) {
    const auto run = run_program({command, "--help"});
    EXPECT_EQ(run.exit_code, 0) << command;
    EXPECT_THAT(run.out, AllOf(HasSubstr("Usage: nunchi "), HasSubstr(command))) << command;
    EXPECT_EQ(run.err, "") << command;
  }
}

struct Mistake {
  std::vector<std::string> arguments;
  std::vector<std::string> words;  // of the message
};

std::vector<Mistake> mistakes() {
  return {
      {{}, {"expected a command (classify", "found none"}},
      {{"clasify", model, picture}, {"expected a command (classify", "found clasify"}},
      {{"--colour"}, {"expected a command", "found --colour"}},
      {{"classify", "--colour", model, picture}, {"--colour"}},
      {{"classify"}, {"MODEL", "config.json", "-m"}},
      {{"classify", model}, {"no pictures are named", "nunchi classify", "INPUT"}},
      {{"classify", "-m", picture, picture}, {picture, "expected a model", "nunchi classify MODEL"}},
      {{"info", picture}, {picture, "expected a model", "nunchi info MODEL"}},
      {{"demo", "--yes", "--no-network"}, {"--no-network", "--yes"}},
      {{"classify", "-m", model}, {"no pictures are named"}},
      {{"classify", model, picture, "-k", "0"}, {"--top"}},
      {{"classify", model, picture, "-k", "many"}, {"--top", "many"}},
      {{"classify", model, picture, "--batch", "0"}, {"--batch"}},
      {{"classify", model, picture, "--threads", "-1"}, {"--threads"}},
      {{"classify", model, picture, "--json", "--csv"}, {"--csv", "--json"}},
      {{"classify", model, picture, "--precision", "fp64"},
       {"--precision", "fp64", "not known", "fp32, bf16, int8 and auto"}},
      {{"classify", model, picture, "--device", "tpu"}, {"--device", "tpu", "auto, cpu, cuda or cuda:N"}},
      {{"profile", model, picture, "--device", "cuda:1"}, {"--device", "cuda:1", "runs on the CPU", "auto or cpu"}},
      {{"embed", model, picture, "--pool", "max"}, {"--pool", "max", "cls, mean, pooled, grid and registers"}},
      {{"embed", model, picture, "-o", "out.csv"}, {"--out", "out.csv", ".npy, .safetensors or .jsonl"}},
      {{"similar", model, picture, picture, "--pool", "grid"}, {"--pool", "grid", "cls, mean and pooled"}},
      {{"forward", model, "--out", "x.safetensors"}, {"--image"}},
      {{"forward", model, "--image", picture}, {"--out"}},
      {{"forward", model, picture, "--image", picture, "--out", "x.safetensors"}, {picture}},
      {{"forward", model, "--image", picture, "--out", "x.safetensors", "--size", "48"},
       {"--size", "48", "HEIGHTxWIDTH"}},
      {{"forward", model, "--image", picture, "--out", "x.safetensors", "--size", "0x48"}, {"--size", "0x48"}},
      {{"forward", model, "--image", picture, "--out", "x.safetensors", "--size", "48x48x3"}, {"--size", "48x48x3"}},
      {{"parity"}, {"CASE"}},
      {{"info"}, {"MODEL"}},
      {{"info", model, model}, {model}},
      {{"walk", model}, {"no pictures are named"}},
      {{"completion"}, {"SHELL"}},
      {{"completion", "tcsh"}, {"tcsh", "bash, zsh or fish"}},
      {{"version", "now"}, {"now"}},
  };
}

TEST(Usage, EveryMistakeIsTwoWithItsReasonOnStandardError) {
  for (const auto& mistake : mistakes()) {
    const auto run = run_program(mistake.arguments);
    const auto line = testing::PrintToString(mistake.arguments);
    EXPECT_EQ(run.exit_code, 2) << line;
    EXPECT_EQ(run.out, "") << line;
    EXPECT_THAT(run.err, AllOf(StartsWith("nunchi: "), HasSubstr("--help"))) << line;
    for (const auto& word : mistake.words) EXPECT_THAT(run.err, HasSubstr(word)) << line;
    EXPECT_FALSE(fs::exists("x.safetensors"));
  }
}

// --- without LibTorch

// The program beside a library that cannot be loaded.
class BrokenLibrary : public testing::Test {
 protected:
  BrokenLibrary() {
    fs::create_directories(folder_ / "bin");
    fs::create_directories(folder_ / "lib");
    fs::copy(NUNCHI_BUILD_DIR "/bin/nunchi", folder_ / "bin/nunchi");
    write_file(folder_ / "lib/libnunchi.so", "no library");
  }
  ProgramRun run(const std::vector<std::string>& arguments) const {
    ProgramOptions options;
    options.program = folder_ / "bin/nunchi";
    options.environment = {{"LD_LIBRARY_PATH", (folder_ / "lib").string()}};
    return run_program(arguments, options);
  }
  const TemporaryFolder folder_;
};

TEST_F(BrokenLibrary, HelpUsageAndCompletionDoNotNeedIt) {
  EXPECT_EQ(run({"--help"}).exit_code, 0);
  EXPECT_EQ(run({"--version"}).exit_code, 0);
  EXPECT_EQ(run({"classify", "--help"}).exit_code, 0);
  EXPECT_EQ(run({"completion", "bash"}).exit_code, 0);
  for (const auto& mistake : mistakes())
    EXPECT_EQ(run(mistake.arguments).exit_code, 2) << testing::PrintToString(mistake.arguments);
}

TEST_F(BrokenLibrary, WorkSaysWhatIsMissingAndWhereItBelongs) {
  const auto version = run({"version"});
  EXPECT_EQ(version.exit_code, 1);
  EXPECT_EQ(version.out, "");
  EXPECT_THAT(version.err, AllOf(HasSubstr("libnunchi.so"), HasSubstr("../lib")));
}

TEST(Start, OnlyWorkLoadsLibTorch) {
  ProgramOptions options;
  options.environment = {{"LD_DEBUG", "files"}};
  const auto help = run_program({"--help"}, options);
  ASSERT_THAT(help.err, HasSubstr("libc.so"));  // the loader tells what it loads
  EXPECT_THAT(help.err, AllOf(Not(HasSubstr("libtorch")), Not(HasSubstr("libc10")), Not(HasSubstr("libnunchi"))));
  EXPECT_THAT(run_program({"version"}, options).err, HasSubstr("libtorch_cpu"));
}

TEST(Start, IsFast) {
  if (!timed) GTEST_SKIP() << "not measured under a sanitizer";
  EXPECT_LT(best_seconds({"--help"}, 0.05), 0.05);
  EXPECT_LT(best_seconds({"classify", model, "--precision", "int8"}, 0.05), 0.05);
  EXPECT_LT(best_seconds({"completion", "bash"}, 0.05), 0.05);
  EXPECT_LT(best_seconds({"version"}, 0.5), 0.5);
}

// --- standard output

TEST(Start, AnAnswerThatNobodyGotIsAFailure) {
  ProgramOptions full;
  full.stdout_path = "/dev/full";
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--help"},
                                                    {"completion", "bash"},
                                                    {"version"},
                                                    {"classify", model, picture},
                                                    {"info", model}}) {
    const auto run = run_program(arguments, full);
    EXPECT_EQ(run.exit_code, 1) << arguments.front();
    EXPECT_THAT(run.err, AllOf(HasSubstr("standard output"), HasSubstr("No space left"))) << arguments.front();
  }
}

TEST(Start, VersionTellsTheParts) {
  const auto run = run_program({"version"});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.err, "");
  for (const auto* word : {"nunchi ", "compiler", "LibTorch", "instructions", "devices", "cpu"})
    EXPECT_THAT(run.out, HasSubstr(word));
  EXPECT_THAT(run_program({"--version"}).out, StartsWith(lines_of(run.out).front()));
}

TEST(Start, AGpuThatIsNotThereIsRefused) {
  const bool has_cuda = run_program({"version"}).out.find("cuda") != std::string::npos;
  const std::string found = has_cuda ? "the last cuda:" : "no CUDA device";
  const auto run = run_program({"classify", model, picture, "--device", "cuda:99"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, AllOf(HasSubstr("--device cuda:99"), HasSubstr(found), HasSubstr("use cpu")));
  const auto both = run_program({"explain", model, picture, "--device", "cuda", "--precision", "auto"});
  EXPECT_EQ(both.exit_code, 2);
  EXPECT_THAT(both.err, AllOf(HasSubstr("--precision auto"), HasSubstr("name fp32 or bf16")));
}

}  // namespace
}  // namespace nunchi::cli
