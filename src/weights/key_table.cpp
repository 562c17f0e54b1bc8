#include "weights/key_table.h"

#include <algorithm>
#include <optional>

namespace nunchi::weights {
namespace {

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find('.', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// What the stars of the pattern stand for in the name; nothing where it does not match.
std::optional<std::vector<std::string_view>> match(std::string_view pattern, std::string_view name) {
  const auto expected = split(pattern), found = split(name);
  std::vector<std::string_view> stars;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (expected[i] == "**") return stars;
    if (i >= found.size()) return std::nullopt;
    if (expected[i] == "*")
      stars.push_back(found[i]);
    else if (expected[i] != found[i])
      return std::nullopt;
  }
  if (expected.size() != found.size()) return std::nullopt;
  return stars;
}

std::string fill(std::string_view pattern, const std::vector<std::string_view>& stars, std::string_view prefix) {
  std::string name;
  std::size_t next = 0;
  for (const char c : pattern) {
    if (c == '@')
      name += prefix;
    else if (c == '*')
      name += stars.at(next++);
    else
      name += c;
  }
  return name;
}

}  // namespace

std::string KeyTable::find_prefix(const std::vector<std::string>& file_names) const {
  for (const auto& prefix : prefixes) {
    const auto begins = [&](const std::string& name) { return name.starts_with(prefix); };
    if (std::any_of(file_names.begin(), file_names.end(), begins)) return prefix;
  }
  return prefixes.back();
}

std::vector<std::string> KeyTable::their_names(std::string_view own_name, std::string_view prefix) const {
  for (const auto& rule : rules) {
    const auto stars = match(rule.own, own_name);
    if (!stars) continue;
    std::vector<std::string> names;
    for (const auto& pattern : rule.theirs) names.push_back(fill(pattern, *stars, prefix));
    return names;
  }
  return {std::string(own_name)};
}

bool KeyTable::is_dropped(std::string_view their_name, std::string_view prefix) const {
  return std::any_of(dropped.begin(), dropped.end(), [&](const std::string& pattern) {
    const bool prefixed = pattern.starts_with('@');
    if (prefixed && !their_name.starts_with(prefix)) return false;
    return match(prefixed ? pattern.substr(1) : pattern, prefixed ? their_name.substr(prefix.size()) : their_name)
        .has_value();
  });
}

}  // namespace nunchi::weights
