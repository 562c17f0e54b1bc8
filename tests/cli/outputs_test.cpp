// What is written: where it cannot be, on a full disk, over an old file.
#include <gmock/gmock.h>

#include "cli/altered_model.h"

namespace nunchi::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
namespace fs = std::filesystem;

struct Output {
  std::vector<std::string> command;
  std::string file;
};

class Outputs : public AlteredModel {
 protected:
  std::vector<std::string> arguments(const Output& output, const std::string& file) const {
    std::vector<std::string> words = {output.command.front(), model_.string()};
    words.insert(words.end(), output.command.begin() + 1, output.command.end());
    for (auto& word : words) word = word == "PICTURE" ? picture_ : word;
    words.insert(words.end(), {"--out", file});
    return words;
  }

  const std::vector<Output> outputs_ = {{{"classify", "PICTURE", "--json", "-k", "7"}, "a.jsonl"},
                                        {{"embed", "PICTURE"}, "a.npy"},
                                        {{"embed", "PICTURE"}, "a.safetensors"},
                                        {{"embed", "PICTURE"}, "b.jsonl"},
                                        {{"similar", "PICTURE", "PICTURE", "--json"}, "a.json"},
                                        {{"forward", "--image", "PICTURE"}, "b.safetensors"}};
};

TEST_F(Outputs, AreWrittenWhereThereIsRoom) {
  for (const auto& output : outputs_) {
    const auto run = run_program(arguments(output, path(output.file)));
    EXPECT_EQ(run.exit_code, 0) << run.err;
    EXPECT_GT(fs::file_size(path(output.file)), 0u);
  }
  EXPECT_THAT(
      strangers({"a.jsonl", "a.npy", "a.npy.files.json", "a.safetensors", "b.jsonl", "a.json", "b.safetensors"}),
      IsEmpty());
}

TEST_F(Outputs, AFullDiskLeavesNothingHalf) {
  ProgramOptions options;
  options.largest_file = 40;
  for (const auto& output : outputs_) {
    const auto run = run_program(arguments(output, path(output.file)), options);
    EXPECT_EQ(run.exit_code, 1) << output.file;
    EXPECT_THAT(run.err,
                AllOf(HasSubstr(path(output.file)), HasSubstr("cannot be written"), HasSubstr("Free some space")))
        << output.file;
  }
  EXPECT_THAT(strangers(), IsEmpty());
}

TEST_F(Outputs, AFullDiskKeepsTheOldFile) {
  ProgramOptions options;
  options.largest_file = 40;
  for (const auto& output : outputs_) {
    write_file(path(output.file), "old");
    EXPECT_EQ(run_program(arguments(output, path(output.file)), options).exit_code, 1);
    EXPECT_EQ(read_file(path(output.file), 100), "old") << output.file;
  }
}

TEST_F(Outputs, APlaceThatCannotBeWrittenIsToldBeforeTheWork) {
  fs::create_directory(folder_ / "a folder.jsonl");
  fs::create_directory(folder_ / "a folder.safetensors");
  for (const auto& output : outputs_) {
    const auto absent = run_program(arguments(output, path("nowhere/" + output.file)));
    EXPECT_EQ(absent.exit_code, 1) << output.file;
    EXPECT_THAT(absent.err, AllOf(HasSubstr(path("nowhere/" + output.file)), HasSubstr("there is no folder"),
                                  HasSubstr("make it first")));
  }
  const auto folder = run_program({"embed", model_.string(), path("absent.png"), "-o", path("a folder.jsonl")});
  EXPECT_EQ(folder.exit_code, 1);
  EXPECT_THAT(folder.err, AllOf(HasSubstr("it is a folder"), Not(HasSubstr("absent.png"))));
}

}  // namespace
}  // namespace nunchi::cli
