// remote/hash.h: the two hashes by which a hub names its files: the sha256 of a large file, git's sha1 of a small one.
//
//   auto hasher = hasher_for(etag, size);
//   hasher->update(bytes);
//   hasher->finish() == etag;
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace nunchi::remote {

class Hasher {
 public:
  static Hasher sha256();
  static Hasher git_blob(std::uint64_t size);  // sha1 of "blob SIZE\0" and the content

  void update(std::span<const std::byte> bytes);
  std::string finish();  // lower-case hexadecimal digits; once

 private:
  explicit Hasher(const char* algorithm);
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

// The hash that an etag is: 64 digits are a sha256, 40 are git's. Nothing for any other etag: it says nothing about the
// content.
std::optional<Hasher> hasher_for(std::string_view etag, std::uint64_t size);

// The file's content through `hasher`; `on_bytes` is called with the count of each piece. Throws Error (input) where it
// cannot be read, Error (interrupted) once a stop was requested.
void hash_file(Hasher& hasher, const std::filesystem::path& file, const std::function<void(std::uint64_t)>& on_bytes);

}  // namespace nunchi::remote
