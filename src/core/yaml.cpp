#include "core/yaml.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <vector>

#include "core/file.h"

#ifndef NUNCHI_WITHOUT_YAML
#include <yaml-cpp/yaml.h>
#endif

namespace nunchi {
namespace {

constexpr std::uint64_t max_bytes = 1u << 20;

// The number that the whole text is, as JSON and YAML's core schema write them: no inf, nan, hexadecimal.
template <class Number>
bool is_number(std::string_view text, Number& number) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto first = text.find_first_not_of('-');
  if (first > 1 || (text[first] != '.' && (text[first] < '0' || text[first] > '9'))) return false;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

Json plain_scalar(const std::string& text) {
  for (const auto* null : {"", "~", "null", "Null", "NULL"})
    if (text == null) return nullptr;
  for (const auto* yes : {"true", "True", "TRUE"})
    if (text == yes) return true;
  for (const auto* no : {"false", "False", "FALSE"})
    if (text == no) return false;
  if (std::int64_t whole = 0; is_number(text, whole)) return whole;
  if (double real = 0; is_number(text, real)) return real;
  return text;
}

}  // namespace

std::string Yaml::where(std::string pointer) const {
  for (;;) {
    if (const auto found = lines.find(pointer); found != lines.end()) return fmt::format("{}:{}", name, found->second);
    if (pointer.empty()) return name;
    pointer.resize(pointer.rfind('/'));
  }
}

Yaml read_yaml(const std::filesystem::path& path) {
  return parse_yaml(read_file(path, max_bytes, ErrorKind::usage), path.string());
}

#ifdef NUNCHI_WITHOUT_YAML

Yaml parse_yaml(const std::string& text, const std::string& name) {
  return {
      .name = name, .json = parse_json(text, name + " (this build reads YAML only in the form of JSON)"), .lines = {}};
}

#else

namespace {

constexpr int max_depth = 50;
constexpr std::int64_t max_values = 100'000;
constexpr std::string_view core_tag = "tag:yaml.org,2002:";

// yaml-cpp shares what aliases stand for; Json copies it, so that the values are counted as they are copied.
class Conversion {
 public:
  explicit Conversion(Yaml& result) : result_(result) {}

  Json convert(const YAML::Node& node, const std::string& pointer, int depth) {
    if (depth > max_depth) fail(node, fmt::format("nested deeper than {} levels", max_depth));
    if (++values_ > max_values) fail(node, fmt::format("more than {} values, aliases resolved", max_values));
    result_.lines[pointer] = line_of(node);
    if (node.IsMap()) return object(node, pointer, depth);
    if (!node.IsSequence()) return scalar(node);
    Json array = Json::array();
    for (const auto& item : node)
      array.push_back(convert(item, fmt::format("{}/{}", pointer, array.size()), depth + 1));
    return array;
  }

 private:
  static int line_of(const YAML::Node& node) { return node.Mark().line + 1; }

  [[noreturn]] void fail(const YAML::Node& node, const std::string& what) const {
    throw Error(ErrorKind::usage, fmt::format("{}:{}: {}", result_.name, line_of(node), what));
  }

  Json object(const YAML::Node& node, const std::string& pointer, int depth) {
    Json object = Json::object();
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) fail(entry.first, "expected a name before the colon, found a list or an object");
      const auto& key = entry.first.Scalar();
      if (object.contains(key)) fail(entry.first, fmt::format("\"{}\" is there twice", key));
      object[key] = convert(entry.second, pointer + "/" + key, depth + 1);
    }
    return object;
  }

  Json scalar(const YAML::Node& node) const {
    const auto& tag = node.Tag();
    if (node.IsNull() || !node.IsDefined()) return nullptr;
    if (tag == "?" || tag.empty()) return plain_scalar(node.Scalar());
    if (tag == "!" || tag == std::string(core_tag) + "str") return node.Scalar();
    const auto value = plain_scalar(node.Scalar());
    const bool fits = (value.is_boolean() && tag.ends_with(":bool")) ||
                      (value.is_number_integer() && tag.ends_with(":int")) ||
                      (value.is_number() && tag.ends_with(":float")) || (value.is_null() && tag.ends_with(":null"));
    if (!fits || !tag.starts_with(core_tag)) fail(node, fmt::format("tag {} is not supported here", tag));
    return value;
  }

  Yaml& result_;
  std::int64_t values_ = 0;
};

}  // namespace

Yaml parse_yaml(const std::string& text, const std::string& name) {
  Yaml result{.name = name, .json = {}, .lines = {}};
  try {
    const auto documents = YAML::LoadAll(text);
    if (documents.size() > 1)
      throw Error(ErrorKind::usage, fmt::format("{}: expected one document, found {}", name, documents.size()));
    if (!documents.empty()) result.json = Conversion(result).convert(documents.front(), "", 0);
  } catch (const YAML::Exception& error) {
    const auto line = error.mark.is_null() ? "" : fmt::format(":{}", error.mark.line + 1);
    throw Error(ErrorKind::usage, fmt::format("{}{}: expected YAML: {}", name, line, error.msg));
  }
  return result;
}

#endif

namespace {

// Text that reads back as itself without quotes.
bool is_plain_text(const std::string& text) {
  constexpr std::string_view safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-";
  if (text.empty() || text.find_first_not_of(safe) != text.npos || text.front() == '-') return false;
  return plain_scalar(text).is_string();
}

std::string scalar_text(const Json& value) {
  if (value.is_string() && is_plain_text(value.get<std::string>())) return value.get<std::string>();
  return value.dump();  // JSON's strings are YAML's double-quoted ones
}

bool fits_a_line(const Json& value) {
  if (!value.is_structured() || value.empty()) return true;
  return value.is_array() && std::ranges::none_of(value, [](const Json& item) { return item.is_object(); });
}

std::string line_text(const Json& value) {
  if (!value.is_array()) return value.is_object() ? "{}" : scalar_text(value);
  std::vector<std::string> items;
  for (const auto& item : value) items.push_back(line_text(item));
  return fmt::format("[{}]", fmt::join(items, ", "));
}

void append(std::string& text, const Json& object, const std::string& indent) {
  for (const auto& [key, value] : object.items()) {
    text += fmt::format("{}{}:", indent, scalar_text(key));
    if (fits_a_line(value)) {
      text += fmt::format(" {}\n", line_text(value));
    } else if (value.is_object()) {
      text += "\n";
      append(text, value, indent + "  ");
    } else {
      text += fmt::format(" {}\n", value.dump());  // a list with objects in it: flow style is JSON
    }
  }
}

}  // namespace

std::string to_yaml(const Json& json) {
  if (!json.is_object() || json.empty()) return (fits_a_line(json) ? line_text(json) : json.dump()) + "\n";
  std::string text;
  append(text, json, "");
  return text;
}

}  // namespace nunchi
