// image/golden.h: where the stored answers of the peers and the shared data are.
//
//   for (const std::string& line : golden_lines("resize_pil.txt")) ...
//   if (!std::filesystem::exists(shared() / "photos")) GTEST_SKIP() << "no shared data";
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace nunchi::image {

inline std::filesystem::path golden() { return std::filesystem::path(NUNCHI_SOURCE_DIR) / "tests/golden/image"; }

inline std::filesystem::path shared() {
  const char* given = std::getenv("NUNCHI_SHARED");
  return (given != nullptr ? std::filesystem::path(given) : std::filesystem::path(NUNCHI_SOURCE_DIR) / "../shared") /
         "data";
}

// Without comments.
inline std::vector<std::string> golden_lines(const std::string& name) {
  std::ifstream file(golden() / name);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') lines.push_back(line);
  }
  return lines;
}

}  // namespace nunchi::image
