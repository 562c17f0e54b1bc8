// remote/cache_tools.h: looking after the cache: what lies in it, what nobody needs, what is damaged.
//
//   for (const auto& snapshot : list_cache(cache)) show(snapshot);
//   const auto pruned = prune_cache(cache, {.dry_run = true});
//   verify_cache(cache, [&](const CheckedFile& file) { if (file.state == FileState::damaged) tell(file.path); });
#pragma once

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/progress.h"

namespace nunchi::remote {

struct CachedSnapshot {
  std::string repository, commit;
  std::vector<std::string> references;  // branches and tags that point to it
  std::filesystem::path path;
  std::uint64_t bytes = 0;  // of all its files; snapshots may share some
  std::size_t files = 0;
  std::time_t modified = 0;
  bool usable = false;  // nunchi finds a configuration and weights in it
};

// Models only, sorted by name; an absent cache is an empty one. Throws Error (input) where it cannot be read.
std::vector<CachedSnapshot> list_cache(const std::filesystem::path& cache);

struct PruneOptions {
  bool dry_run = false;
  bool detached = false;  // also snapshots without a branch or tag, as a pulled commit is one
};

struct PrunedFile {
  std::filesystem::path path;
  std::string what;  // "blob of no snapshot", "part of a download", "snapshot of no branch"
  std::uint64_t bytes = 0;
};

struct PruneResult {
  std::vector<PrunedFile> deleted;          // or, in a dry run, what would be
  std::vector<std::filesystem::path> busy;  // another process works on them
  std::size_t detached_kept = 0;            // snapshots that `detached` would delete
};

PruneResult prune_cache(const std::filesystem::path& cache, const PruneOptions& options);

enum class FileState {
  intact,
  damaged,    // its hash is not its name
  missing,    // a snapshot points to it, but it is not there
  unchecked,  // its name is no hash, or there are no links in this cache
};

struct CheckedFile {
  std::filesystem::path path;
  FileState state = FileState::intact;
  std::uint64_t bytes = 0;
};

// Hashes every blob. Throws Error (interrupted) once a stop was requested.
void verify_cache(const std::filesystem::path& cache, const std::function<void(const CheckedFile&)>& on_file,
                  const Progress& progress);

}  // namespace nunchi::remote
