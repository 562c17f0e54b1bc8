// formats/quote_name.h: names out of a file of strangers, for messages.
#pragma once

#include <string>
#include <string_view>

namespace nunchi::formats {

// In quotes, shortened, without control characters.
std::string quote_name(std::string_view name);

}  // namespace nunchi::formats
