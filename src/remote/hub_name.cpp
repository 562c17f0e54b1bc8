#include "remote/hub_name.h"

#include <algorithm>
#include <array>

namespace nunchi::remote {
namespace {

constexpr std::size_t longest_part = 96, longest_revision = 200;

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

bool is_part(std::string_view part) {
  if (part.empty() || part.size() > longest_part || !is_word(part.front()) || !is_word(part.back())) return false;
  return std::all_of(part.begin(), part.end(), [](char c) { return is_word(c) || c == '.' || c == '-'; });
}

bool names_a_file(std::string_view name) {
  constexpr std::array endings{".safetensors", ".json", ".bin", ".pt",   ".pth", ".zip", ".npy",
                               ".npz",         ".jpg",  ".png", ".onnx", ".csv", ".txt"};
  return std::any_of(endings.begin(), endings.end(), [&](const char* ending) { return name.ends_with(ending); });
}

bool is_repository(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  const auto name = text.substr(slash + 1);
  if (contains(text, "--") || contains(text, "..") || name.ends_with(".git") || names_a_file(name)) return false;
  return is_part(text.substr(0, slash)) && is_part(name);
}

// The rules of git for the names of branches: none can leave the folder "refs".
bool is_revision(std::string_view text) {
  constexpr std::string_view forbidden = " ~^:?*[\\\"'<>|";
  if (text.empty() || text.size() > longest_revision) return false;
  if (text.front() == '/' || text.front() == '.' || text.front() == '-') return false;
  if (text.back() == '/' || text.back() == '.') return false;
  if (contains(text, "..") || contains(text, "//") || contains(text, "/.") || contains(text, "@{")) return false;
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return c > ' ' && c < 0x7f && !contains(forbidden, std::string_view(&c, 1)); });
}

}  // namespace

std::optional<HubName> parse_hub_name(std::string_view text) {
  const auto at = text.find('@');
  const auto repository = text.substr(0, at);
  if (!is_repository(repository)) return std::nullopt;
  HubName name{.repository = std::string(repository)};
  if (at == std::string_view::npos) return name;
  name.revision = std::string(text.substr(at + 1));
  return is_revision(name.revision) ? std::optional(name) : std::nullopt;
}

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_commit(std::string_view revision) { return is_hex(revision, 40); }

}  // namespace nunchi::remote
