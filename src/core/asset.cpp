#include "core/asset.h"

#include <algorithm>

#include "core/assert.h"

namespace nunchi {
namespace {

const Asset* find_asset(std::string_view name) {
  const auto found = std::ranges::find(assets(), name, &Asset::name);
  return found == assets().end() ? nullptr : &*found;
}

}  // namespace

std::vector<const Asset*> assets_in(std::string_view prefix) {
  std::vector<const Asset*> found;
  for (const Asset& file : assets()) {
    if (file.name.starts_with(prefix)) {
      found.push_back(&file);
    }
  }
  return found;
}

bool has_asset(std::string_view name) { return find_asset(name) != nullptr; }

std::string_view asset(std::string_view name) {
  const Asset* file = find_asset(name);
  ASSERT(file != nullptr, "no such file was embedded from assets/");
  return file->bytes;
}

}  // namespace nunchi
