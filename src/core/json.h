// core/json.h: reading JSON files of others with errors that name the file and the field.
//
//   const Json config = read_json(directory / "config.json");
//   const int dim = get_or(config, "hidden_size", 768);
#pragma once

#include <fmt/format.h>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/error.h"

namespace nunchi {

using Json = nlohmann::ordered_json;

// Throws Error (model) where the text is not JSON, nests deeper than 100 levels or is not UTF-8; `name` is for the
// message.
Json parse_json(std::string_view text, const std::string& name);

// Throws Error (model) where the file cannot be read, is over 256 MiB, or is not JSON.
Json read_json(const std::filesystem::path& path);

// The field, or `fallback` where it is absent or null. Throws Error (model) where it has another type.
template <class T>
T get_or(const Json& object, const std::string& field, T fallback) {
  const auto found = object.find(field);
  if (found == object.end() || found->is_null()) return fallback;
  try {
    return found->get<T>();
  } catch (const nlohmann::json::exception&) {
    throw Error(ErrorKind::model, fmt::format("field \"{}\": unexpected value {}", field, found->dump()));
  }
}

}  // namespace nunchi
