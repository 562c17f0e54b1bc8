#include <gmock/gmock.h>

#include "cli/program.h"
#include "core/temporary_folder.h"
#include "tasks/cases.h"

namespace nunchi::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string program_in_path(const std::string& name) {
  for (const auto* folder : {"/usr/bin/", "/bin/", "/usr/local/bin/"}) {
    if (std::filesystem::exists(folder + name)) return folder + name;
  }
  return "";
}

ProgramRun run_shell(const std::string& shell, const std::vector<std::string>& arguments,
                     const std::filesystem::path& folder = {}) {
  ProgramOptions options;
  options.program = program_in_path(shell);
  options.folder = folder;
  return run_program(arguments, options);
}

class Completion : public testing::TestWithParam<const char*> {};

TEST_P(Completion, IsAScriptThatTheShellReads) {
  const std::string shell = GetParam();
  const auto script = run_program({"completion", shell});
  ASSERT_EQ(script.exit_code, 0) << script.err;
  EXPECT_THAT(script.out, HasSubstr("classify"));
  if (program_in_path(shell).empty()) GTEST_SKIP() << shell << " is not installed: its script was not checked";
  const TemporaryFolder folder;
  write_file(folder / "script", script.out);
  const auto check = run_shell(shell, {"-n", (folder / "script").string()});
  EXPECT_EQ(check.exit_code, 0);
  EXPECT_EQ(check.err, "");
}

INSTANTIATE_TEST_SUITE_P(Shells, Completion, testing::Values("bash", "zsh", "fish"),
                         [](const auto& tested) { return std::string(tested.param); });

// What bash offers after these words, the last of which is being typed.
std::vector<std::string> bash_offers(const std::vector<std::string>& words, const std::filesystem::path& folder = {}) {
  std::string line = "eval \"$1\"; COMP_WORDS=(nunchi";
  for (const auto& word : words) line += " '" + word + "'";
  line += fmt::format("); COMP_CWORD={}; _nunchi; printf '%s\\n' \"${{COMPREPLY[@]}}\"", words.size());
  const auto run = run_shell("bash", {"-c", line, "bash", run_program({"completion", "bash"}).out}, folder);
  EXPECT_EQ(run.err, "");
  return lines_of(run.out);
}

TEST(BashCompletion, OffersCommandsOptionsAndShells) {
  EXPECT_THAT(bash_offers({"cl"}), ElementsAre("classify"));
  EXPECT_THAT(bash_offers({""}), testing::IsSupersetOf({"classify", "embed", "doctor", "--help"}));
  EXPECT_THAT(bash_offers({"classify", "--pre"}), ElementsAre("--precision"));
  EXPECT_THAT(bash_offers({"classify", "model", "--c"}), ElementsAre("--classes", "--crop", "--csv"));
  EXPECT_THAT(bash_offers({"embed", "--"}), Not(Contains("--csv")));
  EXPECT_THAT(bash_offers({"completion", ""}), ElementsAre("bash", "zsh", "fish"));
}

TEST(BashCompletion, OffersFilesWhateverTheirNames) {
  const TemporaryFolder folder;
  write_file(folder / "my cat.png", "");
  write_file(folder / "my 고양이.png", "");
  EXPECT_THAT(bash_offers({"classify", "my"}, folder.path()),
              testing::UnorderedElementsAre("my cat.png", "my 고양이.png"));
}

TEST(BashCompletion, IsRegisteredForTheProgram) {
  const auto run =
      run_shell("bash", {"-c", "eval \"$1\"; complete -p nunchi", "bash", run_program({"completion", "bash"}).out});
  EXPECT_THAT(run.out, HasSubstr("-F _nunchi nunchi"));
}

}  // namespace
}  // namespace nunchi::cli
