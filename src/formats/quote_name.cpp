#include "formats/quote_name.h"

#include <nlohmann/json.hpp>

namespace nunchi::formats {

std::string quote_name(std::string_view name) {
  constexpr std::size_t longest = 120;
  const bool shorten = name.size() > longest;
  const nlohmann::json text = std::string(name.substr(0, longest)) + (shorten ? "..." : "");
  return text.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

}  // namespace nunchi::formats
