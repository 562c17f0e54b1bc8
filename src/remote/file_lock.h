// remote/file_lock.h: one process at a time, by flock on the file that huggingface_hub locks too.
//
//   const FileLock lock(cache / ".locks" / "models--org--name" / (etag + ".lock"));
#pragma once

#include <filesystem>
#include <optional>

namespace nunchi::remote {

class FileLock {
 public:
  // Waits until nobody else holds the lock; folders and the file are made where they are missing. Throws Error (input)
  // where they cannot be made, Error (interrupted) once a stop was requested.
  explicit FileLock(const std::filesystem::path& path);

  // The same without waiting: nothing where another process holds it.
  static std::optional<FileLock> try_lock(const std::filesystem::path& path);

  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  FileLock() = default;
  bool acquire(const std::filesystem::path& path);
  int descriptor_ = -1;
};

}  // namespace nunchi::remote
