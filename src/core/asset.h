// core/asset.h: files of the repository's folder assets/ that are part of the program (cmake/Assets.cmake puts them
// there).
//
//   std::string_view text = asset("labels/imagenet.txt");  // the path below assets/
//   for (const Asset* file : assets_in("models/")) ...     // every file whose name begins so, sorted
#pragma once

#include <string_view>
#include <vector>

namespace nunchi {

struct Asset {
  std::string_view name, bytes;  // a zero byte stands behind the bytes; both live as long as the program
};

// Sorted by name.
const std::vector<Asset>& assets();
std::vector<const Asset*> assets_in(std::string_view prefix);

bool has_asset(std::string_view name);

// The bytes of one file. Asserts that there is one of this name.
std::string_view asset(std::string_view name);

}  // namespace nunchi
