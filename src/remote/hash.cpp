#include "remote/hash.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <fstream>
#include <vector>

#include "core/assert.h"
#include "core/interrupt.h"
#include "remote/hub_name.h"

namespace nunchi::remote {

void Hasher::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Hasher::Hasher(const char* algorithm) : context_(EVP_MD_CTX_new()) {
  const EVP_MD* digest = EVP_get_digestbyname(algorithm);
  ASSERT(context_ != nullptr && digest != nullptr && EVP_DigestInit_ex(context_.get(), digest, nullptr) == 1,
         "OpenSSL knows the hash");
}

Hasher Hasher::sha256() { return Hasher("SHA256"); }

Hasher Hasher::git_blob(std::uint64_t size) {
  Hasher hasher("SHA1");
  const std::string header = fmt::format("blob {}", size);
  hasher.update(std::as_bytes(std::span(header.c_str(), header.size() + 1)));
  return hasher;
}

void Hasher::update(std::span<const std::byte> bytes) {
  ASSERT(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1, "a hash takes bytes until it is finished");
}

std::string Hasher::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  ASSERT(EVP_DigestFinal_ex(context_.get(), digest.data(), &size) == 1, "a hash is finished once");
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

std::optional<Hasher> hasher_for(std::string_view etag, std::uint64_t size) {
  if (is_hex(etag, 64)) return Hasher::sha256();
  if (is_hex(etag, 40)) return Hasher::git_blob(size);
  return std::nullopt;
}

void hash_file(Hasher& hasher, const std::filesystem::path& file, const std::function<void(std::uint64_t)>& on_bytes) {
  constexpr std::size_t piece = 1 << 20;
  std::vector<char> buffer(piece);
  std::ifstream in(file, std::ios::binary);
  while (in) {
    throw_if_stopped();
    in.read(buffer.data(), static_cast<std::streamsize>(piece));
    const auto count = static_cast<std::size_t>(in.gcount());
    hasher.update(std::as_bytes(std::span(buffer.data(), count)));
    if (on_bytes) on_bytes(count);
  }
  if (!in.eof()) throw Error(ErrorKind::input, fmt::format("{}: cannot be read", file.string()));
}

}  // namespace nunchi::remote
