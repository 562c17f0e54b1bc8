// remote/hub_settings.h: the environment variables of the Hugging Face libraries, read as they read them
// (docs/hub.md lists them).
//
//   const auto settings = hub_settings();
//   settings.cache;     // ~/.cache/huggingface/hub
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace nunchi::remote {

struct HubSettings {
  std::filesystem::path cache;
  std::string endpoint = "https://huggingface.co";  // without a slash at its end
  std::string token;                                // empty: none
  std::string certificates;                         // a file of certificates instead of the system's; empty: none
  bool offline = false, progress_bars = true, symlinks = true;
  std::chrono::milliseconds download_timeout{10'000};  // without a byte of a file
  std::chrono::milliseconds answer_timeout{10'000};    // for the hub to answer about a file
  std::chrono::milliseconds first_wait{1000};          // before the second try; each further wait is twice as long
};

using Environment = std::function<std::optional<std::string>(const std::string& variable)>;

std::optional<std::string> process_environment(const std::string& variable);

// An empty variable counts as not set. Throws Error (usage) for a time that is no number, an endpoint that is no
// address, or a token that no header can carry.
HubSettings hub_settings(const Environment& environment = process_environment);

}  // namespace nunchi::remote
