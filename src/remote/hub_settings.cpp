#include "remote/hub_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include "core/error.h"
#include "core/file.h"

namespace nunchi::remote {
namespace {

namespace fs = std::filesystem;

// Reads variables with the meaning that an empty one is not set.
class Variables {
 public:
  explicit Variables(const Environment& environment) : environment_(environment) {}

  std::optional<std::string> first_of(std::initializer_list<const char*> names) const {
    for (const auto* name : names) {
      const auto value = environment_(name);
      if (value && !value->empty()) return value;
    }
    return std::nullopt;
  }

  bool is_true(std::initializer_list<const char*> names) const {
    auto value = first_of(names).value_or("");
    std::transform(value.begin(), value.end(), value.begin(), [](char c) { return c >= 'a' && c <= 'z' ? c - 32 : c; });
    return value == "1" || value == "ON" || value == "YES" || value == "TRUE";
  }

  std::chrono::milliseconds seconds(const char* name, std::chrono::milliseconds fallback) const {
    const auto text = first_of({name});
    if (!text) return fallback;
    int value = 0;
    const auto end = text->data() + text->size();
    const auto read = std::from_chars(text->data(), end, value);
    constexpr int longest = 86'400;
    if (read.ec != std::errc() || read.ptr != end || value < 0 || value > longest) {
      throw Error(ErrorKind::usage, fmt::format("{}={}: expected whole seconds, 1 to {}", name, *text, longest));
    }
    return value == 0 ? fallback : std::chrono::milliseconds(std::chrono::seconds(value));
  }

  fs::path expanded(const std::string& path) const { return with_variables(with_home(path)); }
  fs::path home() const { return first_of({"HOME"}).value_or("/"); }

 private:
  std::string with_home(const std::string& path) const {
    return path == "~" || path.starts_with("~/") ? home().string() + path.substr(1) : path;
  }

  // $NAME and ${NAME}; one that is not set stays as it stands.
  std::string with_variables(const std::string& path) const {
    std::string result;
    for (std::size_t i = 0; i < path.size();) {
      const bool braced = path.compare(i, 2, "${") == 0;
      const std::size_t begin = i + (braced ? 2 : 1);
      std::size_t end = begin;
      while (path[i] == '$' && end < path.size() &&
             (std::isalnum(static_cast<unsigned char>(path[end])) || path[end] == '_'))
        ++end;
      const bool closed = !braced || (end < path.size() && path[end] == '}');
      const auto value = end > begin && closed ? environment_(path.substr(begin, end - begin)) : std::nullopt;
      const std::size_t next = value ? end + (braced ? 1 : 0) : i + 1;
      result += value ? *value : path.substr(i, 1);
      i = next;
    }
    return result;
  }

  const Environment& environment_;
};

fs::path cache_home(const Variables& variables) {
  if (const auto home = variables.first_of({"HF_HOME"})) return variables.expanded(*home);
  if (const auto cache = variables.first_of({"XDG_CACHE_HOME"})) return variables.expanded(*cache) / "huggingface";
  return variables.home() / ".cache" / "huggingface";
}

std::string cleaned_token(std::string token) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!token.empty() && is_space(token.back())) token.pop_back();
  while (!token.empty() && is_space(token.front())) token.erase(token.begin());
  if (std::any_of(token.begin(), token.end(), [](char c) { return c <= ' ' || c >= 0x7f; })) {
    throw Error(ErrorKind::usage, "HF_TOKEN or its file: expected a token, found blanks or control characters in it");
  }
  return token;
}

std::string read_token(const Variables& variables, const fs::path& home) {
  constexpr std::uint64_t most_bytes = 1 << 16;
  if (variables.is_true({"HF_HUB_DISABLE_IMPLICIT_TOKEN"})) return "";
  if (const auto token = variables.first_of({"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"})) return cleaned_token(*token);
  const auto named = variables.first_of({"HF_TOKEN_PATH"});
  const fs::path file = named ? variables.expanded(*named) : home / "token";
  std::error_code error;
  return fs::exists(file, error) ? cleaned_token(read_file(file, most_bytes)) : "";
}

std::string checked_endpoint(std::string endpoint) {
  while (endpoint.ends_with('/')) endpoint.pop_back();
  if (endpoint.starts_with("https://") || endpoint.starts_with("http://")) return endpoint;
  throw Error(ErrorKind::usage,
              fmt::format("HF_ENDPOINT={}: expected an address that begins with https:// or http://", endpoint));
}

}  // namespace

std::optional<std::string> process_environment(const std::string& variable) {
  const char* value = std::getenv(variable.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

HubSettings hub_settings(const Environment& environment) {
  const Variables variables(environment);
  const fs::path home = cache_home(variables);
  HubSettings settings;
  const auto cache = variables.first_of({"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"});
  settings.cache = cache ? variables.expanded(*cache) : home / "hub";
  if (const auto endpoint = variables.first_of({"HF_ENDPOINT"})) settings.endpoint = checked_endpoint(*endpoint);
  settings.token = read_token(variables, home);
  settings.certificates = variables.first_of({"SSL_CERT_FILE", "CURL_CA_BUNDLE"}).value_or("");
  settings.offline = variables.is_true({"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"});
  settings.progress_bars = !variables.is_true({"HF_HUB_DISABLE_PROGRESS_BARS"});
  settings.symlinks = !variables.is_true({"HF_HUB_DISABLE_SYMLINKS"});
  settings.download_timeout = variables.seconds("HF_HUB_DOWNLOAD_TIMEOUT", settings.download_timeout);
  settings.answer_timeout = variables.seconds("HF_HUB_ETAG_TIMEOUT", settings.answer_timeout);
  return settings;
}

}  // namespace nunchi::remote
