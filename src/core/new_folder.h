// core/new_folder.h: a folder that appears when everything is in it.
//
//   NewFolder out("converted", NewFolder::Existing::refused);
//   write_file(out.path() / "config.json", text);
//   out.put_in_place();   // one that is destroyed before leaves nothing behind
#pragma once

#include <filesystem>

namespace nunchi {

class NewFolder {
 public:
  // A folder with files in it, where the new one is to be: `replaced` by it in one step, so that readers see the old
  // or the new, or `refused` before the work begins.
  enum class Existing { refused, replaced };

  // Makes `target`.tmp; what a killed process left there is removed. Throws Error (input) where it cannot be made,
  // where another process is making it, and where the target is refused.
  NewFolder(const std::filesystem::path& target, Existing existing);
  ~NewFolder();
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

  // Where to write until it is put in place.
  const std::filesystem::path& path() const { return path_; }

  // Once. Throws Error (input) where it cannot take its name.
  void put_in_place();

 private:
  std::filesystem::path target_, path_;
  Existing existing_;
  int descriptor_ = -1;
};

}  // namespace nunchi
