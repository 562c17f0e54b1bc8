// remote/hub.h: models by their name on a hub: found in the cache, or pulled into it.
//
//   const auto folder = remote::pull({.repository = "google/vit-base-patch16-224"});
//   const auto path = remote::resolve_model_path("google/vit-base-patch16-224");   // or a folder, as it is
//
// A name whose commit is in the cache with all that nunchi reads is answered without the network; a branch asks the hub
// for its commit first (one request). Without network the cache's own references count, with a remark.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "core/progress.h"
#include "remote/hub_name.h"
#include "remote/hub_settings.h"

namespace nunchi::remote {

// How many bytes of which model are there. Called from the thread that pulls.
using PullProgress = std::function<void(const std::string& model, std::int64_t done, std::int64_t total)>;

// Sees the pulls that are given no progress of their own; thread-safe. The command line draws its line with it.
void set_pull_progress(PullProgress progress);

struct PullOptions {
  HubSettings settings = hub_settings();
  PullProgress progress = {};
};

// The snapshot folder, with what nunchi reads: the configurations and the weights in their best format. Throws
// NetworkError without network or with HF_HUB_OFFLINE where the cache does not have it; Error (model) as HubClient
// does, and where the repository has no weights that nunchi reads; Error (input) where the disk has no place for it,
// which is found before the weights are brought.
std::filesystem::path pull(const HubName& name, const PullOptions& options = {});

// The snapshot folder, if the cache has the configuration and the weights. No network, nothing written.
std::optional<std::filesystem::path> find_in_cache(const HubName& name, const HubSettings& settings);

// What a MODEL of any command names: a path that exists is that path; else the snapshot folder of a hub's name; else
// the text itself, for the reader to say what is wrong with it. Without `settings`, those of the environment, which are
// not even read where the path exists. Throws as pull() does.
std::filesystem::path resolve_model_path(const std::string& model, const std::optional<HubSettings>& settings = {});

}  // namespace nunchi::remote
