#include "core/json.h"

#include <fstream>
#include <sstream>

namespace nunchi {
namespace {

constexpr int max_depth = 100;
constexpr std::uintmax_t max_bytes = 256u << 20;

// nlohmann's parser is iterative but its destructor and most readers are not: too deep nesting is refused first.
void check_depth(std::string_view text, const std::string& name) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > max_depth) {
        throw Error(ErrorKind::model, fmt::format("{}: JSON nested deeper than {} levels", name, max_depth));
      }
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
}

}  // namespace

Json parse_json(std::string_view text, const std::string& name) {
  check_depth(text, name);
  try {
    return Json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::model, fmt::format("{}: expected JSON: {}", name, error.what()));
  }
}

Json read_json(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) throw Error(ErrorKind::model, fmt::format("{}: cannot be read: {}", path.string(), error.message()));
  if (size > max_bytes) {
    throw Error(ErrorKind::model, fmt::format("{}: {} bytes is too long for a JSON file", path.string(), size));
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) throw Error(ErrorKind::model, fmt::format("{}: cannot be read", path.string()));
  return parse_json(text.str(), path.string());
}

}  // namespace nunchi
