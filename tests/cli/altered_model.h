// cli/altered_model.h: a copy of a model and a picture in a folder of their own, to be damaged.
#pragma once

#include <gmock/gmock.h>

#include "cli/program.h"
#include "tasks/cases.h"

namespace nunchi::cli {

class AlteredModel : public testing::Test {
 protected:
  ProgramRun classify(const std::vector<std::string>& pictures, const ProgramOptions& options = {}) const {
    std::vector<std::string> arguments = {"classify", model_.string(), "--json"};
    arguments.insert(arguments.end(), pictures.begin(), pictures.end());
    return run_program(arguments, options);
  }

  // The model cannot be loaded: 3, one message that names it, no answer.
  std::string model_error() const {
    const auto run = classify({picture_});
    EXPECT_EQ(run.exit_code, 3) << run.err;
    EXPECT_EQ(run.out, "");
    EXPECT_THAT(run.err, testing::AllOf(testing::StartsWith("nunchi: "), testing::HasSubstr(model_.string()),
                                        testing::Not(testing::HasSubstr("LibTorch")),
                                        testing::Not(testing::HasSubstr("terminate"))));
    return run.err;
  }

  void change_weights(const std::function<void(Arrays&)>& change) const {
    change_arrays(model_ / "model.safetensors", change);
  }
  void change_config(const std::function<void(Json&)>& change) const { change_json(model_ / "config.json", change); }
  void cut(const std::filesystem::path& file, std::uintmax_t bytes) const { std::filesystem::resize_file(file, bytes); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  // So that the user "nobody" may look into the folder, too.
  void open_folder() const {
    std::filesystem::permissions(folder_.path(), std::filesystem::perms::others_all,
                                 std::filesystem::perm_options::add);
  }

  // Names in the folder that are neither the model nor `expected`: nothing else may be left behind.
  std::vector<std::string> strangers(const std::vector<std::string>& expected = {}) const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      const std::string name = entry.path().filename();
      if (name != "vit_classifier" && std::find(expected.begin(), expected.end(), name) == expected.end())
        names.push_back(name);
    }
    return names;
  }

  const TemporaryFolder folder_;
  const std::filesystem::path model_ = copy_case("vit_classifier", folder_) / "model";
  const std::string picture_ = (folder_ / "vit_classifier/input.png").string();
};

}  // namespace nunchi::cli
