#include "remote/cache_tools.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/file.h"
#include "remote/file_lock.h"
#include "remote/hash.h"
#include "remote/hub_cache.h"
#include "remote/hub_name.h"

namespace nunchi::remote {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  if (!fs::exists(folder, error)) return entries;
  fs::directory_iterator found(folder, error);
  if (error) throw Error(ErrorKind::input, folder.string() + ": the folder cannot be read: " + error.message());
  for (; !error && found != fs::directory_iterator(); found.increment(error)) entries.push_back(found->path());
  std::sort(entries.begin(), entries.end());
  return entries;
}

// "org/name" of "models--org--name"; empty for any other folder, and for names without an organisation.
std::string repository_of(const fs::path& folder) {
  constexpr std::string_view models = "models--";
  const std::string name = folder.filename();
  const auto slash = name.find("--", models.size());
  if (!name.starts_with(models) || slash == std::string::npos) return "";
  return name.substr(models.size(), slash - models.size()) + "/" + name.substr(slash + 2);
}

std::vector<std::string> repositories(const fs::path& cache) {
  std::vector<std::string> names;
  for (const auto& folder : entries_of(cache)) {
    const auto name = repository_of(folder);
    if (!name.empty() && fs::is_directory(folder)) names.push_back(name);
  }
  return names;
}

// Every file below, links too, whether they lead anywhere or not.
std::vector<fs::path> all_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : entries_of(folder)) {
    if (fs::is_symlink(entry) || !fs::is_directory(entry)) {
      files.push_back(entry);
      continue;
    }
    const auto below = all_files(entry);
    files.insert(files.end(), below.begin(), below.end());
  }
  return files;
}

std::map<std::string, std::vector<std::string>> references_by_commit(const CachedRepository& cached) {
  std::map<std::string, std::vector<std::string>> references;
  for (const auto& file : all_files(cached.folder() / "refs")) {
    const auto name = fs::relative(file, cached.folder() / "refs").string();
    if (const auto commit = cached.commit_of(name)) references[*commit].push_back(name);
  }
  return references;
}

std::uint64_t size_of(const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  return error ? 0 : size;
}

std::time_t modified_time(const fs::path& file) {
  struct stat status {};
  return stat(file.c_str(), &status) == 0 ? status.st_mtime : 0;
}

// What a deletion gives back: nothing for a link.
std::uint64_t own_size(const fs::path& file) { return fs::is_symlink(file) ? 0 : size_of(file); }

std::set<std::string> blobs_in(const std::vector<fs::path>& snapshots) {
  std::set<std::string> names;
  for (const auto& snapshot : snapshots) {
    for (const auto& file : all_files(snapshot)) {
      if (fs::is_symlink(file)) names.insert(fs::read_symlink(file).filename());
    }
  }
  return names;
}

bool is_part(const fs::path& blob) { return blob.extension() == ".incomplete"; }

// The ETag of a blob, or of what has come of it: huggingface_hub puts a number of its own before ".incomplete".
std::string etag_of(const fs::path& blob) {
  const std::string name = blob.filename();
  return is_part(blob) ? name.substr(0, name.find('.')) : name;
}

class Pruning {
 public:
  Pruning(const fs::path& cache, const std::string& repository, const PruneOptions& options, PruneResult& result)
      : cached_(cache, repository), options_(options), result_(result) {}

  void run() {
    const auto references = references_by_commit(cached_);
    for (const auto& snapshot : entries_of(cached_.folder() / "snapshots")) {
      const bool detached = !references.contains(snapshot.filename());
      if (detached && options_.detached)
        delete_snapshot(snapshot);
      else
        kept_.push_back(snapshot);
      if (detached && !options_.detached) ++result_.detached_kept;
    }
    for (const auto& blob : entries_of(cached_.folder() / "blobs")) delete_unless_needed(blob);
  }

 private:
  bool is_needed(const fs::path& blob) const { return !is_part(blob) && blobs_in(kept_).contains(blob.filename()); }

  // Under the lock that a pull holds while it brings and links the blob.
  void delete_unless_needed(const fs::path& blob) {
    if (is_needed(blob)) return;
    const auto lock = FileLock::try_lock(cached_.lock(etag_of(blob)));
    if (!lock) return result_.busy.push_back(blob);
    if (!options_.detached) kept_ = entries_of(cached_.folder() / "snapshots");  // one may have come meanwhile
    if (is_needed(blob)) return;
    result_.deleted.push_back({blob, is_part(blob) ? "part of a download" : "blob of no snapshot", own_size(blob)});
    if (!options_.dry_run) fs::remove(blob);
  }

  void delete_snapshot(const fs::path& snapshot) {
    std::uint64_t bytes = 0;
    for (const auto& file : all_files(snapshot)) bytes += own_size(file);
    result_.deleted.push_back({snapshot, "snapshot of no branch", bytes});
    if (options_.dry_run) return;
    fs::remove_all(snapshot);
    fs::remove_all(cached_.folder() / ".no_exist" / snapshot.filename());
  }

  CachedRepository cached_;
  const PruneOptions& options_;
  PruneResult& result_;
  std::vector<fs::path> kept_;
};

CachedSnapshot describe(const CachedRepository& cached, const std::string& repository, const fs::path& path) {
  CachedSnapshot snapshot{.repository = repository, .commit = path.filename(), .path = path};
  snapshot.modified = modified_time(path);
  for (const auto& file : all_files(path)) {
    ++snapshot.files;
    snapshot.bytes += size_of(file);
    snapshot.modified = std::max(snapshot.modified, modified_time(file));
  }
  try {
    snapshot.usable = completeness(cached, snapshot.commit) != Completeness::none;
  } catch (const Error&) {  // an index or a configuration that cannot be read
    snapshot.usable = false;
  }
  return snapshot;
}

// Every blob once, and what snapshots hold or miss.
std::vector<CheckedFile> files_to_check(const CachedRepository& cached) {
  std::vector<CheckedFile> files;
  for (const auto& blob : entries_of(cached.folder() / "blobs")) {
    if (!is_part(blob) && fs::exists(blob)) files.push_back({blob, FileState::unchecked, size_of(blob)});
  }
  for (const auto& file : all_files(cached.folder() / "snapshots")) {
    if (!fs::exists(file))
      files.push_back({file, FileState::missing, 0});
    else if (!fs::is_symlink(file))
      files.push_back({file, FileState::unchecked, 0});
  }
  return files;
}

}  // namespace

std::vector<CachedSnapshot> list_cache(const fs::path& cache) {
  std::vector<CachedSnapshot> snapshots;
  for (const auto& repository : repositories(cache)) {
    const CachedRepository cached(cache, repository);
    const auto references = references_by_commit(cached);
    for (const auto& path : entries_of(cached.folder() / "snapshots")) {
      snapshots.push_back(describe(cached, repository, path));
      const auto found = references.find(path.filename());
      if (found != references.end()) snapshots.back().references = found->second;
    }
  }
  return snapshots;
}

PruneResult prune_cache(const fs::path& cache, const PruneOptions& options) {
  PruneResult result;
  for (const auto& repository : repositories(cache)) Pruning(cache, repository, options, result).run();
  return result;
}

void verify_cache(const fs::path& cache, const std::function<void(const CheckedFile&)>& on_file,
                  const Progress& progress) {
  std::vector<CheckedFile> files;
  std::int64_t done = 0, total = 0;
  for (const auto& repository : repositories(cache)) {
    for (auto& file : files_to_check(CachedRepository(cache, repository))) files.push_back(std::move(file));
  }
  for (const auto& file : files) total += static_cast<std::int64_t>(file.bytes);
  for (auto& file : files) {
    auto hasher =
        file.state == FileState::missing ? std::nullopt : hasher_for(file.path.filename().string(), file.bytes);
    if (hasher) {
      hash_file(*hasher, file.path, [&](std::uint64_t count) {
        done += static_cast<std::int64_t>(count);
        if (progress) progress(done, total);
      });
      file.state = hasher->finish() == file.path.filename() ? FileState::intact : FileState::damaged;
    }
    on_file(file);
  }
}

}  // namespace nunchi::remote
