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
    if (expected[i].ends_with('*')) {
      const auto before = expected[i].substr(0, expected[i].size() - 1);
      if (!found[i].starts_with(before)) return std::nullopt;
      stars.push_back(found[i].substr(before.size()));
    } else if (expected[i] != found[i]) {
      return std::nullopt;
    }
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

const KeyRule* KeyTable::rule_for(std::string_view own_name) const {
  const auto found =
      std::find_if(rules.begin(), rules.end(), [&](const auto& rule) { return match(rule.own, own_name).has_value(); });
  return found == rules.end() ? nullptr : &*found;
}

std::vector<std::string> KeyTable::their_names(std::string_view own_name, std::string_view prefix) const {
  const auto* rule = rule_for(own_name);
  if (rule == nullptr) return {std::string(own_name)};
  const auto stars = match(rule->own, own_name);
  std::vector<std::string> names;
  for (const auto& pattern : rule->theirs) names.push_back(fill(pattern, *stars, prefix));
  return names;
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
