// core/yaml.h: YAML files as Json, with the line of every value for errors.
//
//   const Yaml recipe = read_yaml("cifar10.yaml");
//   recipe.json["optimizer"]["learning_rate"];        // 0.001
//   recipe.where("/optimizer/learning_rate");         // "cifar10.yaml:12"
//   write_file("recipe.yaml", to_yaml(recipe.json));
//
// Scalars follow the core schema of YAML 1.2 in decimal: null, true and false, integers, reals; all else is text, "yes"
// and quoted numbers too. Files of others are safe to read: size, depth and the growth by aliases are limited.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "core/json.h"

namespace nunchi {

struct Yaml {
  std::string name;  // of the file
  Json json;
  std::map<std::string, int> lines;  // from 1, by JSON pointer ("" is the document)

  // "NAME:LINE" of the value; of what holds it where it is not there; NAME alone where nothing is known.
  std::string where(std::string pointer) const;
};

// One document. Throws Error (usage) with `name` and the line where the text is no YAML, a key is no scalar or is there
// twice, a tag is not of the core schema, or the document nests deeper than 50 levels or has more than 100,000 values
// (aliases count as what they stand for).
Yaml parse_yaml(const std::string& text, const std::string& name);

// Throws Error (usage), too where the file cannot be read or is over 1 MiB.
Yaml read_yaml(const std::filesystem::path& path);

// Objects in block style, arrays of scalars on one line. parse_yaml gives the same values back.
std::string to_yaml(const Json& json);

}  // namespace nunchi
