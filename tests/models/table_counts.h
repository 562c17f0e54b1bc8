// models/table_counts.h: every architecture of a class in timm's or torchvision's table, built by name, against the
// number of parameters that the library counts (tests/golden/architectures.json).
//
//   expect_table_counts(Publisher::timm, "ConvNeXt", {"convnext_atto_rms"});   // but for those refused
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "core/asset.h"
#include "core/in_child.h"
#include "models/architectures.h"

namespace nunchi::models {

inline std::vector<std::string> names_of_class(Publisher publisher, const std::string& family) {
  const auto file = "models/" + std::string(publisher_name(publisher)) + ".json";
  const Json table = parse_json(asset(file), file);
  std::vector<std::string> names;
  for (const auto& [name, row] : table.at("architectures").items()) {
    if (row.at("class") == family) names.push_back(name);
  }
  return names;
}

inline void expect_table_counts(Publisher publisher, const std::string& family,
                                const std::vector<std::string>& refused = {}) {
  const auto path = std::filesystem::path(NUNCHI_SOURCE_DIR) / "tests/golden/architectures.json";
  const Json counts = read_json(path).at(std::string(publisher_name(publisher)));
  const auto names = names_of_class(publisher, family);
  ASSERT_FALSE(names.empty());
  for (const auto& name : names) {
    const auto qualified = std::string(publisher_name(publisher)) + "/" + name;
    if (std::ranges::count(refused, name) > 0) {
      EXPECT_NE(error_of([&] { build_named(qualified); }), "") << name;
      continue;
    }
    try {
      EXPECT_EQ(build_named(qualified).model->parameter_count(), counts.at(name).get<std::int64_t>()) << name;
    } catch (const Error& error) {
      ADD_FAILURE() << name << ": " << error.what();
    }
  }
}

}  // namespace nunchi::models
