// cli/pictures.h: a folder of four small pictures with names that are easy to get wrong, for tests of the commands.
#pragma once

#include <gmock/gmock.h>

#include "cli/program.h"
#include "tasks/cases.h"

namespace nunchi::cli {

inline const std::string vit = case_model("vit_classifier").string();
inline const std::string mobilenet = case_model("mobilenet_v2").string();
inline const std::string picture = (case_folder("vit_classifier") / "input.png").string();

inline std::vector<Json> json_lines(const std::string& text) {
  std::vector<Json> lines;
  for (const auto& line : lines_of(text)) lines.push_back(Json::parse(line));
  return lines;
}

class Pictures : public testing::Test {
 protected:
  Pictures() {
    std::filesystem::create_directory(folder_ / "in");
    for (std::size_t i = 0; i < names.size(); ++i) write_ppm(in(names[i]), 40, 30, static_cast<int>(i));
    write_file(in("notes.txt"), "no picture");
  }
  std::string in(const std::string& name) const { return (folder_ / "in" / name).string(); }
  std::string in() const { return (folder_ / "in").string(); }
  std::string out(const std::string& name) const { return (folder_ / name).string(); }

  const std::vector<std::string> names = {"a.ppm", "b, \"c\".ppm", "d e.PPM", "고양이.ppm"};
  const TemporaryFolder folder_;
};

}  // namespace nunchi::cli
