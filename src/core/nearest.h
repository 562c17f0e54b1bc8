// core/nearest.h: the name that somebody who mistyped it probably meant.
//
//   fmt::format("no such field; the nearest is {}", nearest_name("lerning_rate", fields));
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nunchi {

// Levenshtein's: inserted, deleted and changed characters.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The first of those with the least distance; empty where there are no names.
std::string nearest_name(std::string_view name, const std::vector<std::string>& names);

}  // namespace nunchi
