#include "data/splits.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "core/error.h"

namespace nunchi::data {
namespace {

// In the order in which they are taken where nothing is said.
const std::array<std::vector<std::string>, 3> kinds = {
    {{"test", "testing", "t10k"}, {"val", "valid", "validation", "dev", "eval"}, {"train", "training"}}};

std::size_t kind_of(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto holds = [&](const std::vector<std::string>& names) {
    return std::ranges::find(names, lower) != names.end();
  };
  return static_cast<std::size_t>(std::ranges::find_if(kinds, holds) - kinds.begin());
}

}  // namespace

bool is_split_name(std::string_view name) { return kind_of(name) < kinds.size(); }

std::string choose_split(const std::vector<std::string>& splits, const std::string& wanted, const std::string& where) {
  if (wanted.empty() && !splits.empty()) return *std::ranges::min_element(splits, {}, kind_of);
  if (std::ranges::find(splits, wanted) != splits.end()) return wanted;
  const auto same_kind = [&](const std::string& split) {
    return is_split_name(wanted) && kind_of(split) == kind_of(wanted);
  };
  if (const auto found = std::ranges::find_if(splits, same_kind); found != splits.end()) return *found;
  if (splits.empty()) {
    throw Error(ErrorKind::input, fmt::format("{}: --split {}: this dataset has no splits; leave the option out, or "
                                              "name the part's own folder or file",
                                              where, wanted));
  }
  throw Error(ErrorKind::input,
              fmt::format("{}: --split {}: not there; the splits are {}", where, wanted, fmt::join(splits, ", ")));
}

}  // namespace nunchi::data
