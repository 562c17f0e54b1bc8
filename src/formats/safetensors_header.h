// formats/safetensors_header.h: the JSON header of a safetensors file, read as a stream of events: the tree that
// nlohmann builds keeps the last of two equal names silently, and equal names must be refused.
//
//   const HeaderText header = read_header_text(text, "model.safetensors");
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/safetensors.h"

namespace nunchi::formats {

// What one entry of the header says, before it is compared with the file.
struct HeaderEntry {
  std::string name;
  std::optional<std::string> dtype;
  std::optional<std::vector<std::uint64_t>> shape;
  std::optional<std::vector<std::uint64_t>> data_offsets;
};

struct HeaderText {
  std::vector<HeaderEntry> entries;
  Metadata metadata;
};

// Throws Error (model) where `text` is not a JSON object of the specified form. Unknown fields of an entry are passed
// over, as the reference library does.
HeaderText read_header_text(std::string_view text, const std::string& file);

}  // namespace nunchi::formats
