// data/splits.h: the parts of a dataset by name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nunchi::data {

// "train", "test", "val" and their usual other names.
bool is_split_name(std::string_view name);

// The one that `wanted` names ("validation" also finds "val"); with nothing wanted test, else validation, else train.
// Throws Error (input) that begins with `where` and names those there are.
std::string choose_split(const std::vector<std::string>& splits, const std::string& wanted, const std::string& where);

}  // namespace nunchi::data
