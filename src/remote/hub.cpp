#include "remote/hub.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <mutex>

#include "core/interrupt.h"
#include "core/log.h"
#include "remote/blob_download.h"
#include "remote/file_lock.h"
#include "remote/hub_cache.h"
#include "remote/hub_client.h"

namespace nunchi::remote {
namespace {

namespace fs = std::filesystem;

std::mutex progress_mutex;

PullProgress& common_progress() {
  static PullProgress progress;
  return progress;
}

PullProgress chosen_progress(const PullOptions& options) {
  if (options.progress) return options.progress;
  const std::lock_guard lock(progress_mutex);
  return common_progress();
}

std::uint64_t bytes_of(const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  return error ? 0 : size;
}

// One pull of one revision whose files the hub has listed.
class Pull {
 public:
  Pull(HubClient& hub, HubName name, RepositoryListing listing, const PullOptions& options)
      : hub_(hub),
        name_(std::move(name)),
        listing_(std::move(listing)),
        settings_(options.settings),
        progress_(chosen_progress(options)),
        cached_(settings_.cache, name_.repository) {}

  fs::path run() {
    const auto needed = needed_files(listing_.files);
    check_needed(needed);
    bring(needed);
    if (is_shard_index(needed.back())) bring(checked_shards(needed.back()));
    mark_what_is_absent();
    write_reference();
    return cached_.snapshot(listing_.commit);
  }

 private:
  void check_needed(const std::vector<std::string>& needed) const {
    const bool has_config = !needed.empty() && needed.front() == "config.json";
    if (has_config && !needed.back().ends_with("config.json")) return;
    auto found = listing_.files;
    constexpr std::size_t most_named = 12;
    const bool more = found.size() > most_named;
    found.resize(std::min(found.size(), most_named));
    throw Error(
        ErrorKind::model,
        fmt::format("{}: expected a config.json and weights as model.safetensors or pytorch_model.bin, found {}{}",
                    name_.text(), found.empty() ? "no file" : fmt::format("{}", fmt::join(found, ", ")),
                    more ? ", ..." : ""));
  }

  std::vector<std::string> checked_shards(const std::string& index) const {
    const auto shards = shards_of(cached_.snapshot(listing_.commit) / index);
    for (const auto& shard : shards) {
      if (std::find(listing_.files.begin(), listing_.files.end(), shard) != listing_.files.end()) continue;
      throw Error(ErrorKind::model,
                  fmt::format("{}: {} names {}, but the repository has no such file", name_.text(), index, shard));
    }
    return {shards.begin(), shards.end()};
  }

  void bring(const std::vector<std::string>& names) {
    std::vector<RemoteFile> files;
    for (const auto& file : names) {
      throw_if_stopped();
      if (!cached_.has_file(listing_.commit, file)) files.push_back(hub_.describe(name_, listing_.commit, file));
    }
    if (files.empty()) return;
    make_cache(settings_.cache);
    check_space(files);
    for (const auto& file : files) bring_one(file);
  }

  void bring_one(const RemoteFile& file) {
    const auto before = done_;
    const auto on_bytes = [&](std::uint64_t bytes) {
      done_ = before + bytes;
      if (progress_) progress_(name_.text(), static_cast<std::int64_t>(done_), static_cast<std::int64_t>(total_));
    };
    const FileLock lock(cached_.lock(file.etag));
    if (cached_.has_file(listing_.commit, file.name))
      return on_bytes(file.size.value_or(0));  // another process was first
    bring_blob(hub_, name_, file, cached_, on_bytes);
    cached_.add_to_snapshot(listing_.commit, file.name, file.etag, settings_.symlinks);
  }

  // Sums up what is still to come, says so, and finds a full disk before the work.
  void check_space(const std::vector<RemoteFile>& files) {
    std::uint64_t missing = 0, all = 0;
    for (const auto& file : files) {
      const auto size = file.size.value_or(0);
      const auto here = std::max(bytes_of(cached_.blob(file.etag)), bytes_of(cached_.partial_blob(file.etag)));
      if (all + size < all) throw_too_large(size, 0);
      all += size;
      missing += size - std::min(size, here);
    }
    total_ += all;
    struct statvfs info {};
    if (statvfs(settings_.cache.c_str(), &info) == 0) {
      const auto free = static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
      if (missing > free) throw_too_large(missing, free);
    }
    constexpr std::uint64_t worth_telling = 10'000'000;
    if (missing > worth_telling) {
      log(LogLevel::warning,
          fmt::format("pulling {}: {} to {}", name_.text(), format_bytes(missing), cached_.folder().string()));
    }
  }

  [[noreturn]] void throw_too_large(std::uint64_t wanted, std::uint64_t free) const {
    throw Error(ErrorKind::input,
                fmt::format("{}: {} are to come, but {} has {} free. Free some space, or name another "
                            "place in HF_HUB_CACHE",
                            name_.text(), format_bytes(wanted), settings_.cache.string(), format_bytes(free)));
  }

  void mark_what_is_absent() const {
    for (const auto* name : {"preprocessor_config.json", "processor_config.json"}) {
      const bool listed = std::find(listing_.files.begin(), listing_.files.end(), name) != listing_.files.end();
      if (!listed) cached_.mark_absent(listing_.commit, name);
    }
  }

  // The last step, so that a branch never points to half a snapshot.
  void write_reference() const {
    try {
      cached_.write_reference(name_.revision, listing_.commit);
    } catch (const Error& error) {  // a cache that may only be read is complete all the same
      log(LogLevel::info, error.what());
    }
  }

  HubClient& hub_;
  HubName name_;
  RepositoryListing listing_;
  const HubSettings& settings_;
  PullProgress progress_;
  CachedRepository cached_;
  std::uint64_t done_ = 0, total_ = 0;
};

[[noreturn]] void fail_offline(const HubName& name, const HubSettings& settings) {
  throw NetworkError(
      fmt::format("{}: not in the cache ({}), and HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE forbids to pull "
                  "it: pull it once without them",
                  name.text(), settings.cache.string()),
      false);
}

}  // namespace

void set_pull_progress(PullProgress progress) {
  const std::lock_guard lock(progress_mutex);
  common_progress() = std::move(progress);
}

std::optional<fs::path> find_in_cache(const HubName& name, const HubSettings& settings) {
  const CachedRepository cached(settings.cache, name.repository);
  const auto commit = cached.commit_of(name.revision);
  if (!commit || completeness(cached, *commit) == Completeness::none) return std::nullopt;
  return cached.snapshot(*commit);
}

fs::path pull(const HubName& name, const PullOptions& options) {
  const auto& settings = options.settings;
  const CachedRepository cached(settings.cache, name.repository);
  if (is_commit(name.revision) && completeness(cached, name.revision) == Completeness::complete)
    return cached.snapshot(name.revision);
  const auto found = find_in_cache(name, settings);
  if (settings.offline) return found ? *found : (fail_offline(name, settings), fs::path());
  HubClient hub(settings);
  constexpr int patient = 5, with_a_way_out = 1;
  try {
    return Pull(hub, name, hub.listing(name, found ? with_a_way_out : patient), options).run();
  } catch (const NetworkError& error) {
    if (!found) throw;
    log(LogLevel::warning, fmt::format("{}; using what is in the cache", error.what()));
    return *found;
  }
}

fs::path resolve_model_path(const std::string& model, const std::optional<HubSettings>& settings) {
  std::error_code error;
  const auto name = parse_hub_name(model);
  if (!name || fs::exists(model, error)) return model;
  try {
    return pull(*name, {.settings = settings ? *settings : hub_settings()});
  } catch (const Error& failure) {
    if (failure.kind() != ErrorKind::model) throw;
    throw Error(ErrorKind::model, fmt::format("{} (there is no file or folder of that name either)", failure.what()));
  }
}

}  // namespace nunchi::remote
