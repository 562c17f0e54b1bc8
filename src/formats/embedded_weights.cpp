#include "formats/embedded_weights.h"

#include "core/memory_file.h"
#include "formats/safetensors.h"

namespace nunchi::formats {

// Everything that reads weights maps a file and gives its pages back, so the bytes become one: a copy of a few
// megabytes, which the system drops with the mapping.
WeightFiles embedded_weights(std::string_view bytes, const std::string& name) {
  parse_safetensors(std::as_bytes(std::span(bytes)), name);
  const MemoryFile file(bytes, name);
  const auto mapped = std::make_shared<const MappedFile>(MappedFile::open(file.path()));
  std::vector<WeightFile> files;
  files.push_back(SafetensorsFile::read(mapped));
  return WeightFiles(std::move(files));
}

}  // namespace nunchi::formats
