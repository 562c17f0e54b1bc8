// core/memory_file.h: bytes in memory as a file without a place in any folder, for what wants a path.
//
//   const MemoryFile file(bytes, "photo");
//   read_picture(file.path());   // as long as the object lives; what maps the file may keep it longer
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace nunchi {

class MemoryFile {
 public:
  // Throws Error (input) that begins with `name` where there is no memory for it.
  MemoryFile(std::string_view bytes, const std::string& name);
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::filesystem::path path() const;

 private:
  int descriptor_;
};

}  // namespace nunchi
